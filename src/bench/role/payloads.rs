//! What the messages of a group carry, ready to be sent: filler of one size or of many, texts, or templates that are
//! filled in for each message; with room for the measurement header in front where it goes there.
//!
//! The files of a plan have been read, and the clock that a template shows is passed in.

use std::sync::Arc;

use jiff::Timestamp;

use super::message::{self, Check, Form};
use crate::bench::plan::Publishers;
use crate::bench::plan::content::{Content, Order};
use crate::bench::plan::size::Size;
use crate::bench::random::Random;
use crate::payload::{Dice, Filling, Template};

/// What the messages of a group carry.
pub struct Payloads {
    form: Form,
    source: Source,
}

enum Source {
    /// The beginning of this, so long as the size says and at least `least`.
    Filler {
        bytes: Arc<[u8]>,
        size: Size,
        least: usize,
    },
    /// One of these, each with its check and with room for the header in front.
    Texts(Vec<(Arc<[u8]>, Check)>, Order),
    /// One of these, filled in.
    Templates(Vec<Template>, Order, fn() -> Timestamp),
}

/// The longest text of a template: filled in it is longer, and the packet must be one of MQTT all the same.
const LONGEST_TEMPLATE: usize = 16 << 20;

impl Payloads {
    /// Of a group; `texts` is what its texts, files or lines are, `now` the clock of a template and `environment` the
    /// variables it may show.
    ///
    /// # Errors
    /// When there is no text, or one is no template.
    pub fn new(
        group: &Publishers,
        texts: Vec<Vec<u8>>,
        now: fn() -> Timestamp,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Payloads, String> {
        let form = group.form();
        let source = match &group.payload {
            None => {
                let (size, least) = (group.size(), group.least());
                let longest = (size.largest() as usize).max(least);
                Source::Filler {
                    bytes: message::filler(longest).into(),
                    size,
                    least,
                }
            }
            Some(_) if texts.is_empty() => return Err("there is nothing to send".to_owned()),
            Some(content) if content.template => {
                let templates = texts.iter().map(|text| {
                    if text.len() > LONGEST_TEMPLATE {
                        return Err(format!(
                            "a template of {} bytes is too long: at most {LONGEST_TEMPLATE}",
                            text.len()
                        ));
                    }
                    Template::parse(text, &environment)
                });
                let templates = templates.collect::<Result<_, _>>()?;
                Source::Templates(templates, content.order, now)
            }
            Some(Content { order, .. }) => {
                let with_room = |text: Vec<u8>| {
                    let mut bytes = vec![0; form.front()];
                    bytes.extend_from_slice(&text);
                    (Arc::from(bytes), Check::of(&text))
                };
                Source::Texts(texts.into_iter().map(with_room).collect(), *order)
            }
        };
        Ok(Payloads { form, source })
    }

    /// Of filler, which needs no file.
    pub fn filler(group: &Publishers) -> Payloads {
        Payloads::new(group, Vec::new(), || Timestamp::UNIX_EPOCH, |_| None)
            .unwrap_or_else(|words| unreachable!("a group without payload is sent filler: {words}"))
    }

    /// The filler, where that is what is sent; all others begin as the longest does.
    pub fn longest_filler(&self) -> Option<Arc<[u8]>> {
        match &self.source {
            Source::Filler { bytes, .. } => Some(Arc::clone(bytes)),
            _ => None,
        }
    }

    /// The one payload of all messages, if there is only one, with its check.
    pub(super) fn same(&self) -> Option<(Arc<[u8]>, Check)> {
        match &self.source {
            Source::Filler {
                bytes,
                size: Size::Fixed(size),
                ..
            } => Some((Arc::clone(bytes), Check::Filler(*size))),
            Source::Texts(texts, _) => match &texts[..] {
                [(text, check)] => Some((Arc::clone(text), *check)),
                _ => None,
            },
            _ => None,
        }
    }

    /// How many bytes of a payload of this length are its header's.
    pub(super) fn room(&self, length: usize) -> usize {
        match &self.source {
            Source::Filler { .. } => self.form.room(length),
            _ => self.form.front(),
        }
    }

    /// Where the header goes.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Bytes of the longest payload, as far as that is known beforehand.
    pub(super) fn longest(&self) -> usize {
        match &self.source {
            Source::Filler { bytes, .. } => bytes.len(),
            Source::Texts(texts, _) => texts.iter().map(|(text, _)| text.len()).max().unwrap_or(0),
            Source::Templates(templates, _, now) => {
                let mut filling = Filling {
                    count: u64::MAX,
                    now: now(),
                    dice: &mut Dice::new(Some(0)),
                };
                let lengths = templates.iter().map(|text| text.fill(&mut filling).len());
                self.form.front() + lengths.max().unwrap_or(0)
            }
        }
    }
}

/// The payloads of one publisher, one after the other.
pub(super) struct Draw {
    payloads: Arc<Payloads>,
    random: Random,
    dice: Dice,
    /// A template that is filled in.
    filled: Vec<u8>,
}

impl Draw {
    /// What is random follows from `seed`.
    pub(super) fn new(payloads: Arc<Payloads>, seed: u64) -> Draw {
        Draw {
            payloads,
            random: Random::of(&[seed]),
            dice: Dice::new(Some(seed)),
            filled: Vec::new(),
        }
    }

    /// The payload of message `number`, from 0, with room for its header in front, and its check.
    pub(super) fn next(&mut self, number: u64) -> (&[u8], Check) {
        let random = &mut self.random;
        let mut place = |order: &Order, count: usize| match order {
            Order::Turn => (number % count as u64) as usize,
            Order::Random => random.between(0, count as u64 - 1) as usize,
        };
        match &self.payloads.source {
            Source::Texts(texts, order) => {
                let (text, check) = &texts[place(order, texts.len())];
                (text, *check)
            }
            Source::Templates(templates, order, now) => {
                let front = self.payloads.form.front();
                let template = &templates[place(order, templates.len())];
                self.filled.resize(front, 0);
                let mut filling = Filling {
                    count: number + 1,
                    now: now(),
                    dice: &mut self.dice,
                };
                template.fill_into(&mut filling, &mut self.filled);
                let check = Check::of(&self.filled[front..]);
                (&self.filled, check)
            }
            Source::Filler { bytes, size, least } => {
                let length = size.draw(random, *least).min(bytes.len());
                (&bytes[..length], Check::Filler(length as u32))
            }
        }
    }
}
