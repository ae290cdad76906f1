//! The subscribing role: acknowledges what arrives, enters it in the ledger and times it.

use std::sync::Arc;
use std::time::Duration;

use super::message::{self, Form, Header, Mark};
use super::payloads::Payloads;
use crate::bench::measure::Recorder;
use crate::bench::measure::ledger::{Delivery, Ledger, Sent};
use crate::bench::measure::shares::Membership;
use crate::bench::plan::speed::{Appetite, Reader, Speed};
use crate::bench::plan::topics::Topics;
use crate::bench::plan::{Plan, Publishers, Timetable, When};
use crate::bench::role::{self, Fault, Incoming, Next, Phase, Progress, Role, State, kind};
use crate::mqtt::codec::{self, PublishView, TooLarge};
use crate::mqtt::packet::{RetainHandling, Subscribe, Subscription};
use crate::mqtt::{Packet, Properties, QoS, ReasonCode, Version};

/// One subscriber.
pub struct Subscriber {
    run: u32,
    version: Version,
    filter: String,
    qos: QoS,
    /// Tells the due time of a message whose header has no room for it.
    timetable: Arc<Timetable>,
    /// What the broker granted, once it has.
    granted: Option<QoS>,
    /// What it must receive.
    books: Books,
    /// When it is there.
    when: When,
    /// How many messages of the run it received, copies included.
    received: u64,
    /// When it began to wait for what was kept for it, and when the last of that came.
    waits: Option<(u64, u64)>,
    /// What the messages of the run look like.
    expected: Expected,
    /// How fast it reads.
    reader: Reader,
    /// It reads slowly at present.
    slowed: bool,
    /// Messages it read while it was slow.
    slowly: u64,
    /// Packet identifiers of QoS 2 messages that are received and not released (4.3.3).
    held: PacketIds,
}

/// How what arrives is held against what was sent.
pub enum Books {
    /// Whatever comes is counted.
    None,
    /// What comes is passed on, and counts where it goes.
    Relay,
    /// All of some streams.
    Own(Ledger),
    /// A part of them; the rest goes to other members of the group.
    Shared(Membership),
}

/// What the messages of a run look like, as far as those who hear them must know.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The longest filler; every other one is its beginning.
    filler: Arc<[u8]>,
    /// Some carry their header in a property.
    properties: bool,
    /// Some carry none.
    unmarked: bool,
    /// Retained messages are taken away at the end, by empty ones.
    retained: bool,
    /// Where they were published; empty for answers, which come to the topic that was subscribed to.
    topics: Arc<Topics>,
}

impl Expected {
    /// Of all groups that publish.
    pub fn of(plan: &Plan, payloads: &[Arc<Payloads>]) -> Expected {
        let any = |what: fn(&Publishers) -> bool| plan.publish.iter().any(what);
        let fillers = payloads.iter().filter_map(|group| group.longest_filler());
        let longest = fillers.max_by_key(|filler| filler.len());
        // A will is filler too.
        let longest = longest.filter(|filler| filler.len() >= message::FULL);
        Expected {
            filler: longest.unwrap_or_else(|| message::filler(message::FULL).into()),
            properties: any(|group| group.form() == Form::Property),
            unmarked: any(|group| !group.is_marked()),
            retained: any(|group| group.retain),
            topics: Arc::new(plan.topics()),
        }
    }

    /// The same for those who hear answers to their own messages.
    pub fn answers(self) -> Expected {
        Expected {
            topics: Arc::default(),
            ..self
        }
    }
}

/// The packet identifier of the only SUBSCRIBE.
const SUBSCRIBE_ID: u16 = 1;

impl Subscriber {
    /// A subscriber to `filter` at `qos`, for the messages of run `run` with this timetable. `when` says when it is there.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        run: u32,
        version: Version,
        filter: String,
        qos: QoS,
        timetable: Arc<Timetable>,
        books: Books,
        when: When,
        expected: Expected,
    ) -> Subscriber {
        Subscriber {
            run,
            version,
            filter,
            qos,
            timetable,
            granted: None,
            books,
            when,
            received: 0,
            waits: None,
            expected,
            reader: Reader::new(Speed::All, Duration::ZERO),
            slowed: false,
            slowly: 0,
            held: PacketIds::default(),
        }
    }

    /// At this speed from a moment of the load on. Its messages are counted and not timed: they are late by its own doing.
    pub fn reading(self, speed: Speed, from: Duration) -> Subscriber {
        Subscriber {
            reader: Reader::new(speed, from),
            ..self
        }
    }

    /// Whether it ever reads slowly, and how many messages it read while it did.
    pub fn slowly(&self) -> Option<u64> {
        self.reader.is_slow().then_some(self.slowly)
    }

    /// Appends the SUBSCRIBE.
    ///
    /// # Errors
    /// When the filter is longer than MQTT can say.
    pub fn write_subscribe(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let subscribe = Subscribe {
            packet_id: SUBSCRIBE_ID,
            filters: vec![Subscription {
                filter: self.filter.as_str().into(),
                qos: self.qos,
                no_local: false,
                retain_as_published: false,
                // Retained messages are older than the run and would only be foreign to it.
                retain_handling: match self.when {
                    When::Late => RetainHandling::Always,
                    _ => RetainHandling::Never,
                },
            }],
            properties: Properties::default(),
        };
        codec::write(&Packet::Subscribe(subscribe), self.version, out)
    }

    /// What the broker granted, when that is less than what was asked for.
    pub fn granted_less(&self) -> Option<QoS> {
        self.granted.filter(|granted| *granted < self.qos)
    }

    /// Closes the ledger, see [`Ledger::settle`].
    pub fn settle(&self, sent: &[Sent], connected: bool) -> Delivery {
        match &self.books {
            Books::Own(ledger) => ledger.settle(sent, self.granted.unwrap_or_default(), connected),
            Books::Shared(membership) => membership.settle(),
            Books::None | Books::Relay => Delivery::default(),
        }
    }

    /// What it subscribed to.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// How many messages of the run it received, copies included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// From when it waited for what was kept for it to when the last of that came, in nanoseconds.
    pub fn waits(&self) -> Option<(u64, u64)> {
        self.waits
    }

    /// It is back, and waits from now on.
    pub fn came_back(&mut self, now_ns: u64) {
        self.waits = Some((now_ns, now_ns));
    }

    fn arrived(&mut self, publish: &PublishView<'_>, now_ns: u64, recorder: &mut Recorder) {
        let PublishView { payload, dup, .. } = *publish;
        let mark = self.mark(publish);
        if mark.is_none() && payload.is_empty() && self.expected.retained {
            return; // At the end of the run what was retained is taken away.
        }
        let header = mark.map(|mark| mark.header);
        self.received += u64::from(header.is_some() || self.expected.unmarked);
        let filler = &self.expected.filler;
        let is_whole = || mark.is_none_or(|mark| mark.is_whole(payload, filler));
        // A topic that comes as a number only is not held against anything.
        let is_at_its_topic = |header: Header| {
            let topics = &self.expected.topics;
            let found = topics.is(header.stream, header.sequence, publish.topic);
            publish.topic.is_empty() || found.unwrap_or(publish.topic == self.filter)
        };
        let is_first = match (&mut self.books, header) {
            (Books::None, _) => return recorder.arrived(now_ns),
            (Books::Relay, _) => return,
            (_, None) if self.expected.unmarked => return recorder.arrived(now_ns),
            (Books::Own(ledger), None) => return ledger.enter_foreign(),
            (Books::Shared(membership), None) => return membership.enter_foreign(),
            (Books::Own(ledger), Some(header)) => {
                if !is_whole() {
                    ledger.enter_corrupted();
                }
                if !is_at_its_topic(header) {
                    ledger.enter_misaddressed();
                }
                ledger.enter(header.stream, header.sequence, dup)
            }
            (Books::Shared(membership), Some(header)) => {
                if !is_whole() {
                    membership.enter_corrupted();
                }
                if !is_at_its_topic(header) {
                    membership.enter_misaddressed();
                }
                membership.enter(header.stream, header.sequence, dup)
            }
        };
        if let Some((_, last_ns)) = &mut self.waits {
            *last_ns = now_ns;
            if is_first {
                recorder.arrived(now_ns);
            }
            return;
        }
        if self.reader.is_slow() {
            self.slowly += u64::from(self.slowed && is_first);
            if self.slowed {
                self.reader.took(1, 0);
            }
            if is_first {
                recorder.arrived(now_ns);
            }
            return;
        }
        if let (true, Some(header)) = (is_first, header) {
            let due_ns = header
                .due_ns
                .or_else(|| self.timetable.due_ns(header.stream, header.sequence));
            recorder.delivered(due_ns, header.sent_ns, now_ns);
        }
    }
}

impl Subscriber {
    /// The header of a message; `None` when it is none of this run, or carries none.
    pub(super) fn mark(&self, publish: &PublishView<'_>) -> Option<Mark> {
        match Mark::read(self.run, publish.payload) {
            None if self.expected.properties => Mark::read_property(self.run, publish.properties),
            mark => mark,
        }
    }
}

impl Role for Subscriber {
    fn state(&self) -> State {
        State {
            ready: self.granted.is_some() || self.when == When::Late,
            progress: Progress::Settled,
            published: 0,
        }
    }

    fn turn(
        &mut self,
        phase: Phase,
        now_ns: u64,
        _: u64,
        out: &mut Vec<u8>,
        _: &mut Recorder,
    ) -> Next {
        if self.when == When::Late && self.waits.is_none() && phase == Phase::Drain {
            self.came_back(now_ns);
            self.write_subscribe(out)
                .expect("a filter that was checked with the plan");
        }
        match self.when == When::Away && self.granted.is_some() && phase < Phase::Load {
            true => Next::Leave,
            false => Next::Wait,
        }
    }

    fn appetite(&mut self, phase: Phase, now_ns: u64) -> Appetite {
        self.slowed = phase == Phase::Load && self.reader.is_slow_at(now_ns);
        match self.slowed {
            true => self.reader.appetite(now_ns),
            false => Appetite::All,
        }
    }

    fn took(&mut self, bytes: usize) {
        self.reader.took(0, bytes);
    }

    /// A session that the broker has kept has the subscription; otherwise it is made again.
    fn come_back(&mut self, resumed: bool, _: u64, out: &mut Vec<u8>) {
        if resumed {
            return;
        }
        self.held = PacketIds::default();
        if self.when != When::Late || self.waits.is_some() {
            self.write_subscribe(out)
                .expect("a filter that was checked with the plan");
        }
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        now_ns: u64,
        out: &mut Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<(), Fault> {
        match packet.kind() {
            kind::PUBLISH => {
                let publish =
                    codec::publish_view(packet.frame.header, packet.frame.body, self.version)?;
                let PublishView { qos, packet_id, .. } = publish;
                match qos {
                    QoS::AtMostOnce => self.arrived(&publish, now_ns, recorder),
                    QoS::AtLeastOnce => {
                        self.arrived(&publish, now_ns, recorder);
                        role::write_acknowledgement(kind::PUBACK, packet_id, out);
                    }
                    QoS::ExactlyOnce => {
                        if self.held.insert(packet_id) {
                            self.arrived(&publish, now_ns, recorder);
                        }
                        role::write_acknowledgement(kind::PUBREC, packet_id, out);
                    }
                }
                Ok(())
            }
            kind::PUBREL => {
                let (packet_id, _) = packet.acknowledgement(self.version)?;
                self.held.remove(packet_id);
                role::write_acknowledgement(kind::PUBCOMP, packet_id, out);
                Ok(())
            }
            kind::SUBACK => {
                let reason = match packet.decode(self.version)? {
                    Packet::SubAck(suback) => suback.reasons.first().copied(),
                    _ => None,
                };
                let reason = reason.unwrap_or(ReasonCode::UNSPECIFIED_ERROR);
                self.granted = QoS::from_number(reason.0);
                if self.granted.is_none() {
                    return Err(Fault::Denied {
                        filter: self.filter.clone(),
                        reason,
                    });
                }
                Ok(())
            }
            _ => packet.refuse(self.version),
        }
    }
}

/// A set of packet identifiers: nothing while unused, 8 KiB from the first on.
#[derive(Default)]
struct PacketIds {
    words: Vec<u64>,
}

impl PacketIds {
    /// Whether the identifier is new.
    fn insert(&mut self, packet_id: u16) -> bool {
        if self.words.is_empty() {
            self.words = vec![0; 65_536 / 64];
        }
        let (word, bit) = PacketIds::place(packet_id);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    fn remove(&mut self, packet_id: u16) {
        let (word, bit) = PacketIds::place(packet_id);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    fn place(packet_id: u16) -> (usize, u64) {
        (usize::from(packet_id) / 64, 1 << (packet_id % 64))
    }
}
