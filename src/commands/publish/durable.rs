//! Publishing through a spool: every message is on the disk before it is sent, and stays there until its handshake is
//! complete.
//!
//! One turn takes what the broker has answered, takes in new messages, and decides what to send. Then all of that is
//! committed at once, and only then does anything go out. While the broker is there, the source is read no faster than it
//! takes messages; while it is away, the spool takes in what comes until it is full.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use jiff::Timestamp;
use tokio::time::Instant;

use super::books::Books;
use super::feed::Feed;
use super::publisher::{End, Tempo};
use crate::client::{Answer, Courier, Failure, Unfit};
use crate::exit::Exit;
use crate::mqtt::packet::Publish;
use crate::mqtt::{QoS, ReasonCode, Version};
use crate::payload::compose::Composer;
use crate::spool::Spool;

/// The most drafts taken in, and the most answers taken, in one turn.
const TURN: usize = 256;

/// The most bytes under way, but for a single message that has more.
const BYTES: usize = 1 << 20;

/// How many attempts in a row to make when no more messages come in. While they do, there is no end to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// After the first, while the broker has not been reached.
    pub(super) first: u32,
    /// To regain a connection that once stood.
    pub(super) later: u32,
}

pub(super) struct Durable {
    pub(super) spool: Spool,
    pub(super) courier: Courier,
    pub(super) composer: Composer,
    pub(super) tempo: Tempo,
    pub(super) books: Books,
    pub(super) directory: PathBuf,
    patience: Patience,
    /// The source, until its end.
    feed: Option<Feed>,
    count: u64,
    /// When the next draft may be taken.
    due: Option<Instant>,
    /// Whether the broker has ever accepted us, and the attempts since it last did.
    was_up: bool,
    failures: u32,
    last_failure: Option<Failure>,
    /// What has to be sent again on this connection, in the order in which it was sent first.
    again: VecDeque<u64>,
    /// What PUBREC said, where it was more than yes.
    received: BTreeMap<u64, ReasonCode>,
    highest: QoS,
    /// To be sent after the next commit.
    letters: Vec<Letter>,
    /// Something has happened since the last commit.
    is_dirty: bool,
}

enum Letter {
    Publish(Publish),
    Release(u16),
}

impl Durable {
    pub(super) fn new(
        spool: Spool,
        courier: Courier,
        directory: PathBuf,
        patience: Patience,
        (composer, tempo, mut books): (Composer, Tempo, Books),
        feed: Option<Feed>,
    ) -> Durable {
        let mut highest = QoS::AtMostOnce;
        for (number, flight) in spool.flights() {
            books.handed_over(number, number, &flight.publish);
            highest = highest.max(flight.publish.qos);
        }
        Durable {
            spool,
            courier,
            composer,
            tempo,
            books,
            directory,
            patience,
            feed,
            count: 0,
            due: None,
            was_up: false,
            failures: 0,
            last_failure: None,
            again: VecDeque::new(),
            received: BTreeMap::new(),
            highest,
            letters: Vec::new(),
            is_dirty: false,
        }
    }

    /// Takes in what the source has and delivers it, and before it what an earlier process has left.
    pub(super) async fn publish(&mut self) -> Result<(), End> {
        loop {
            for _ in 0..TURN {
                match self.courier.next_ready().await {
                    Some(answer) => self.take(answer)?,
                    None => break,
                }
            }
            self.take_in();
            self.fill_window()?;
            self.commit().await?;
            if self.feed.is_none() {
                if self.spool.is_empty() {
                    return Ok(());
                }
                self.check_patience()?;
            }
            if self.may_take_in() && self.has_ready() {
                continue;
            }
            self.wait().await?;
        }
    }

    /// Makes everything safe, then lets others know and sends what is to be sent.
    async fn commit(&mut self) -> Result<(), End> {
        if std::mem::take(&mut self.is_dirty) {
            self.spool.commit()?;
        }
        for letter in self.letters.drain(..) {
            match letter {
                Letter::Publish(publish) => self.courier.publish(publish),
                Letter::Release(packet_id) => self.courier.release(packet_id),
            }
        }
        Ok(self.books.flush().await?)
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Result<(), End> {
        let may_take_in = self.has_room();
        let due = self.due.filter(|_| may_take_in);
        let is_due = due.is_none_or(|due| due <= Instant::now());
        let more = async {
            match &mut self.feed {
                Some(feed) if may_take_in && is_due => feed.ready().await,
                _ => std::future::pending().await,
            }
        };
        let turn = async {
            match due {
                Some(due) if !is_due => tokio::time::sleep_until(due).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            answer = self.courier.next() => self.take(answer)?,
            more = more => match more {
                Ok(true) => {}
                Ok(false) => self.feed = None,
                Err(error) => {
                    return Err(anyhow::Error::new(error).context("cannot read stdin").into());
                }
            },
            () = turn => {}
        }
        Ok(())
    }

    /// Whether the spool is to take in another message.
    fn has_room(&self) -> bool {
        let is_calm = match self.tempo {
            Tempo::Pause(pause) => pause.is_zero() || self.spool.is_empty(),
            _ => true,
        };
        is_calm
            && self.spool.has_room()
            && (!self.courier.is_up() || self.spool.has_place_in_memory())
    }

    fn may_take_in(&self) -> bool {
        self.has_room() && self.due.is_none_or(|due| due <= Instant::now())
    }

    fn has_ready(&self) -> bool {
        self.feed.as_ref().is_some_and(Feed::has_ready)
    }

    fn take_in(&mut self) {
        for _ in 0..TURN {
            if !self.may_take_in() {
                return;
            }
            let Some(item) = self.feed.as_mut().and_then(Feed::next_ready) else {
                return;
            };
            self.count += 1;
            self.set_due();
            let composed = match item.draft {
                Ok(draft) => self.composer.compose(draft, self.count, Timestamp::now),
                Err(words) => Err(words),
            };
            match composed {
                Ok(messages) => {
                    for message in messages {
                        self.accept(message);
                    }
                }
                Err(words) => self.books.unusable(&item.origin, &words),
            }
        }
    }

    fn accept(&mut self, message: Publish) {
        self.is_dirty = true;
        match self.spool.accept(message.clone()) {
            Ok(number) => self.books.accepted_as(number, &message),
            Err(error) => {
                let number = self.books.accepted(&message);
                self.books.unfit(number, &message, error.to_string());
            }
        }
    }

    /// After a draft was taken: when the next may be.
    fn set_due(&mut self) {
        let now = Instant::now();
        self.due = match &mut self.tempo {
            Tempo::Free => None,
            Tempo::Paced(pace) => {
                if self.count == 1 {
                    pace.next(now);
                }
                Some(pace.next(now))
            }
            // It begins anew with each message that becomes complete.
            Tempo::Pause(pause) => Some(now + *pause),
        };
    }

    /// Decides what to send: first what has been sent before.
    fn fill_window(&mut self) -> Result<(), End> {
        if !self.courier.is_up() {
            return Ok(());
        }
        loop {
            let (count, bytes) = self.spool.under_way();
            let on_their_way = count - self.again.len();
            if on_their_way >= self.courier.window(self.highest) {
                return Ok(());
            }
            if let Some(number) = self.again.pop_front() {
                self.send_again(number)?;
                continue;
            }
            if on_their_way > 0 && bytes >= BYTES {
                return Ok(());
            }
            if !self.send_next()? {
                return Ok(());
            }
        }
    }

    fn send_again(&mut self, number: u64) -> Result<(), End> {
        let Some((_, flight)) = self.spool.flights().find(|(each, _)| *each == number) else {
            return Ok(());
        };
        if flight.packet_id != 0 && flight.is_received {
            self.letters.push(Letter::Release(flight.packet_id));
            return Ok(());
        }
        let is_known = flight.packet_id != 0;
        let publish = flight.publish.clone();
        self.check_version(number, &publish)?;
        if let Err(unfit) = self.courier.check(&publish) {
            self.give_up(number, &publish, &unfit);
            return Ok(());
        }
        let publish = match is_known {
            true => Publish {
                dup: true,
                packet_id: flight.packet_id,
                ..publish
            },
            false => {
                self.is_dirty = true;
                match self.spool.send_again(number) {
                    Some(publish) => publish,
                    None => return Ok(()),
                }
            }
        };
        self.books.sent(number, publish.packet_id, true);
        self.letters.push(Letter::Publish(publish));
        Ok(())
    }

    /// What an older MQTT cannot say is not left out without a word: the message waits for a broker of MQTT 5.
    fn check_version(&self, number: u64, publish: &Publish) -> Result<(), End> {
        let version = self.courier.version();
        if publish.properties.is_empty() || version == Version::V5 {
            return Ok(());
        }
        let words = format!(
            "message {number} to {} has properties, which MQTT {version} has not; {}",
            publish.topic,
            self.kept()
        );
        Err(End::Failed(Exit::Denied.because(words)))
    }

    /// Sends the message that has waited longest; `false` when none does, or there is no room for one of its quality.
    fn send_next(&mut self) -> Result<bool, End> {
        let waiting = self.spool.waiting().map_err(|error| {
            let directory = self.directory.display();
            anyhow::Error::new(error).context(format!("cannot read the spool {directory}"))
        })?;
        let Some((number, publish)) = waiting else {
            return Ok(false);
        };
        let highest = self.highest.max(publish.qos);
        let unfit = self.courier.check(publish).err();
        let publish = publish.clone();
        self.check_version(number, &publish)?;
        if highest > self.highest {
            self.highest = highest;
            return Ok(true);
        }
        self.is_dirty = true;
        self.books.handed_over(number, number, &publish);
        if let Some(unfit) = unfit {
            self.give_up(number, &publish, &unfit);
            return Ok(true);
        }
        if let Some((number, publish)) = self.spool.send() {
            self.books.sent(number, publish.packet_id, false);
            self.letters.push(Letter::Publish(publish));
        }
        Ok(true)
    }

    /// This broker will never take it.
    fn give_up(&mut self, number: u64, publish: &Publish, unfit: &Unfit) {
        self.is_dirty = true;
        self.spool.give_up(number);
        self.books.withdraw(number);
        self.books.unfit(number, publish, unfit.to_string());
    }

    fn take(&mut self, answer: Answer) -> Result<(), End> {
        match answer {
            Answer::Connected { session_present } => self.begin(session_present)?,
            Answer::Received(packet_id, reason) => {
                self.is_dirty = true;
                if let Some(number) = self.spool.received(packet_id)
                    && reason != ReasonCode::SUCCESS
                {
                    self.received.insert(number, reason);
                }
                self.letters.push(Letter::Release(packet_id));
            }
            Answer::Complete(packet_id, reason) => {
                self.is_dirty = true;
                if let Some(number) = self.spool.complete(packet_id) {
                    let reason = match self.received.remove(&number) {
                        Some(received) if !reason.is_failure() => received,
                        _ => reason,
                    };
                    self.books.complete(number, reason);
                    if let Tempo::Pause(pause) = self.tempo {
                        self.due = Some(Instant::now() + pause);
                    }
                }
            }
            Answer::Lost { failure, retry_in } => self.lose(failure, retry_in)?,
        }
        Ok(())
    }

    fn begin(&mut self, session_present: bool) -> Result<(), End> {
        if std::mem::replace(&mut self.was_up, true) {
            self.books.say("connected again");
        }
        self.failures = 0;
        self.last_failure = None;
        let (count, _) = self.spool.under_way();
        if !session_present && count > 0 {
            let doubtful = self.spool.flights();
            let doubtful = doubtful.filter(|(_, flight)| flight.publish.qos == QoS::ExactlyOnce);
            match doubtful.count() {
                0 => {}
                count => self.books.say(format_args!(
                    "the broker has lost the session; {count} messages of QoS 2 are sent again, and may arrive twice"
                )),
            }
            self.is_dirty = true;
            self.spool.forget_session();
        }
        let broker = self.courier.broker();
        if self.spool.home() != Some(&broker) {
            self.spool.move_to(&broker)?;
        }
        self.composer.version = self.courier.version();
        self.again = self.spool.flights().map(|(number, _)| number).collect();
        Ok(())
    }

    fn lose(&mut self, failure: Failure, retry_in: Option<std::time::Duration>) -> Result<(), End> {
        // PUBLISH or PUBREL, each follows from what the spool knows.
        self.letters.clear();
        self.again.clear();
        let Some(delay) = retry_in else {
            return Err(self.give_up_all(&failure));
        };
        if let Failure::Detour(detour) = &failure {
            // No attempt that failed, but another way.
            self.books.say(detour);
            return Ok(());
        }
        self.failures += 1;
        self.last_failure = Some(failure.clone());
        if self.feed.is_none() {
            self.check_patience()?;
        }
        self.books.say(failure.and_again_in(delay));
        Ok(())
    }

    /// No more messages come in: whether to go on trying to reach the broker.
    fn check_patience(&mut self) -> Result<(), End> {
        let attempts = match self.was_up {
            true => self.patience.later,
            false => self.patience.first,
        };
        match self.last_failure.take() {
            Some(failure) if self.failures > attempts => Err(self.give_up_all(&failure)),
            failure => {
                self.last_failure = failure;
                Ok(())
            }
        }
    }

    fn give_up_all(&mut self, failure: &Failure) -> End {
        let exit = match self.was_up {
            true if failure.exit() == Exit::NotReached => Exit::Lost,
            _ => failure.exit(),
        };
        End::Failed(exit.because(format!("{failure}; {}", self.kept())))
    }

    /// What the spool still has, and what to do about it.
    pub(super) fn kept(&self) -> String {
        kept(&self.spool, &self.directory)
    }
}

fn kept(spool: &Spool, directory: &std::path::Path) -> String {
    let directory = directory.display();
    match spool.len() {
        0 => format!("the spool {directory} is empty"),
        count => {
            let (messages, are) = messages(count);
            format!(
                "{messages} {are} kept in {directory}; deliver with --spool {directory} --drain"
            )
        }
    }
}

/// `1 message`, `is`; `2 messages`, `are`.
pub(super) fn messages(count: u64) -> (String, &'static str) {
    match count {
        1 => ("1 message".to_owned(), "is"),
        count => (format!("{count} messages"), "are"),
    }
}
