//! The control connection of a coordinator and of an agent: texts out, texts in, over a broker that both reach.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use crate::bench::agents::parcel::{self, Shelf};
use crate::bench::plan::Run;
use crate::client::{ConnectOptions, Event, Failure, Retry, Session};
use crate::commands::connection;
use crate::commands::subscribe::refused;
use crate::exit::Exit;
use crate::mqtt::packet::{Publish, RetainHandling, Subscription};
use crate::mqtt::{ByteString, Properties, QoS, ReasonCode};

/// Bytes of a parcel, where the broker does not ask for smaller ones.
const PARCEL: usize = 32 * 1024;

/// How much of a packet is not the parcel: the topic and what stands around it.
const AROUND: usize = 1024;

/// How long the last words and DISCONNECT may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A control connection.
pub(super) struct Post {
    session: Session,
    filters: Vec<ByteString>,
    /// What has no room yet.
    outbox: VecDeque<Publish>,
    /// Texts that are not complete, by the topic they come on.
    shelves: HashMap<String, Shelf>,
    next_id: u64,
}

/// What the control connection brings.
pub(super) enum Mail {
    /// A whole text.
    Letter(Letter),
    /// Something came that cannot be understood.
    Nonsense(String),
    /// The connection was lost; it is made again.
    Lost(Failure, Duration),
    /// It is there again.
    Back,
}

/// A text.
pub(super) struct Letter {
    pub(super) topic: String,
    pub(super) text: String,
    /// When the last of it came.
    pub(super) at: Instant,
}

impl Post {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// When the broker is not reached, or refuses one or the other.
    pub(super) async fn open(
        options: &ConnectOptions,
        retry: Retry,
        filters: Vec<ByteString>,
    ) -> anyhow::Result<Post> {
        let connected = connection::connect(options, retry).await;
        let mut session = connected.map_err(Failure::into_error)?;
        let subscription = |filter: &ByteString| Subscription {
            filter: filter.clone(),
            qos: QoS::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Never,
        };
        let subscriptions = filters.iter().map(subscription).collect();
        session
            .subscribe(subscriptions, Properties::default())
            .map_err(anyhow::Error::msg)?;
        let mut post = Post {
            session,
            filters,
            outbox: VecDeque::new(),
            shelves: HashMap::new(),
            next_id: u64::from(Run::random().0) << 32,
        };
        loop {
            match post.session.next().await {
                Event::Subscribed(reasons) => {
                    post.check(&reasons)?;
                    return Ok(post);
                }
                Event::Lost { failure, .. } => return Err(failure.into_error()),
                _ => {}
            }
        }
    }

    fn check(&self, reasons: &[ReasonCode]) -> anyhow::Result<()> {
        match refused("subscribe to", self.filters.iter(), reasons) {
            Some(words) => Err(Exit::Denied.because(words)),
            None => Ok(()),
        }
    }

    /// Says something, in as many parcels as it takes.
    pub(super) fn send(&mut self, topic: &str, value: &impl Serialize, qos: QoS) {
        let text = serde_json::to_string(value).unwrap_or_default();
        self.next_id = self.next_id.wrapping_add(1);
        for parcel in parcel::cut(self.next_id, &text, self.limit()) {
            self.outbox.push_back(publish(topic, parcel, qos));
        }
        self.flush();
    }

    fn limit(&self) -> usize {
        match self.session.packet_limit() {
            Some(limit) => (limit as usize).saturating_sub(AROUND).clamp(64, PARCEL),
            None => PARCEL,
        }
    }

    fn flush(&mut self) {
        while self.session.has_room()
            && let Some(publish) = self.outbox.pop_front()
        {
            // What is too large for the broker after all is missed at the other end.
            let _ = self.session.publish(publish);
        }
    }

    /// What comes next. Nothing is lost when this is cancelled.
    ///
    /// # Errors
    /// When the connection is lost for good, or the broker does not let us subscribe or publish.
    pub(super) async fn next(&mut self) -> anyhow::Result<Mail> {
        loop {
            self.flush();
            let Some(event) = self.session.next_ready() else {
                self.session.ready().await;
                continue;
            };
            match event {
                Event::Message(message) => {
                    let at = Instant::now();
                    self.session.acknowledge(message.qos, message.packet_id);
                    if let Some(mail) = self.take(&message, at) {
                        return Ok(mail);
                    }
                }
                Event::Subscribed(reasons) => self.check(&reasons)?,
                Event::Connected => return Ok(Mail::Back),
                Event::Complete { reason, .. } if reason.is_failure() => {
                    return Err(Exit::Denied.because(format!(
                        "the control broker does not take what is said: {reason}"
                    )));
                }
                Event::Lost {
                    failure,
                    retry_in: Some(delay),
                    ..
                } => return Ok(Mail::Lost(failure, delay)),
                Event::Lost { failure, .. } => {
                    let words = format!("the control connection: {failure}");
                    return Err(failure.exit().because(words));
                }
                Event::Complete { .. } | Event::Sent { .. } | Event::Unsubscribed(_) => {}
            }
        }
    }

    /// Takes a parcel in; something when a text is complete or it made no sense.
    fn take(&mut self, message: &Publish, at: Instant) -> Option<Mail> {
        let topic = message.topic.to_string();
        let shelf = self.shelves.entry(topic.clone()).or_default();
        match shelf.take(&message.payload) {
            Ok(text) => text.map(|text| Mail::Letter(Letter { topic, text, at })),
            Err(words) => Some(Mail::Nonsense(format!(
                "on {topic} came no parcel: {words}"
            ))),
        }
    }

    /// Says the last words and leaves, as far as the broker lets us.
    pub(super) async fn close(mut self) {
        let last_words = async {
            while !self.outbox.is_empty() || !self.session.is_complete() {
                if self.next().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, last_words).await;
        let _ = tokio::time::timeout(PATIENCE, self.session.disconnect()).await;
    }
}

/// The parcel that a will is.
pub(super) fn last_will(value: &impl Serialize) -> Bytes {
    let text = serde_json::to_string(value).unwrap_or_default();
    let id = u64::from(Run::random().0) << 32;
    parcel::cut(id, &text, PARCEL).swap_remove(0)
}

fn publish(topic: &str, payload: Bytes, qos: QoS) -> Publish {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic: topic.to_owned().into(),
        packet_id: 0,
        properties: Properties::default(),
        payload,
    }
}
