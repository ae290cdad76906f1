//! From what a source says and what the options say to the messages that are published.

use bytes::Bytes;
use jiff::Timestamp;

use super::template::{Filling, Template};
use super::{Dice, Draft, Encoding};
use crate::mqtt::packet::Publish;
use crate::mqtt::{ByteString, Properties, Property, QoS, Version, topic};

/// What the options say about every message.
#[derive(Debug, Clone)]
pub struct Composer {
    /// Where a message goes that names no topic itself: to each of these.
    pub topics: Vec<ByteString>,
    /// Quality of service of those that say none.
    pub qos: QoS,
    /// Whether those are retained that do not say.
    pub retain: bool,
    /// Properties of every message; one a message has itself takes the place of those of its kind.
    pub properties: Properties,
    /// How payloads are written.
    pub encoding: Encoding,
    /// Fill in `{{...}}` in payloads and topics, with this chance.
    pub dice: Option<Dice>,
    /// What is spoken to the broker.
    pub version: Version,
    /// Why a message of QoS 0 will not do, where it will not.
    pub needs_handshake: Option<&'static str>,
}

impl Composer {
    /// The messages that draft number `count`, from 1, becomes: one for each topic.
    ///
    /// # Errors
    /// Says why it cannot be published. Then none of them is.
    pub fn compose(
        &mut self,
        draft: Draft,
        count: u64,
        clock: impl Fn() -> Timestamp,
    ) -> Result<Vec<Publish>, String> {
        let payload = match self.encoding {
            Encoding::Plain => draft.payload,
            encoding => encoding.decode(draft.payload)?,
        };
        let qos = draft.qos.unwrap_or(self.qos);
        if let Some(why) = self.needs_handshake
            && qos == QoS::AtMostOnce
        {
            return Err(format!("QoS 0 will not do: {why}"));
        }
        let mut message = Publish {
            dup: false,
            qos,
            retain: draft.retain.unwrap_or(self.retain),
            topic: ByteString::new(),
            packet_id: 0,
            properties: self.properties(draft.properties)?,
            payload,
        };
        let mut topics = match draft.topic {
            Some(topic) => vec![topic],
            None if self.topics.is_empty() => {
                return Err("it names no topic, and there is no --topic".to_owned());
            }
            None => self.topics.clone(),
        };
        if let Some(dice) = &mut self.dice {
            let now = clock();
            let mut filling = Filling { count, now, dice };
            message.payload = filled(&message.payload, &mut filling)?;
            for topic in &mut topics {
                let bytes = filled(topic.as_bytes(), &mut filling)?;
                *topic =
                    ByteString::try_from(bytes).map_err(|_| "its topic is not UTF-8".to_owned())?;
            }
        }
        if message.properties.payload_format_indicator() == Some(1)
            && std::str::from_utf8(&message.payload).is_err()
        {
            return Err(
                "the payload is not UTF-8, but --payload-format-indicator says that it is"
                    .to_owned(),
            );
        }
        for topic in &topics {
            check_topic(topic)?;
        }
        let last = topics.pop().unwrap_or_default();
        let mut messages: Vec<Publish> = topics
            .into_iter()
            .map(|topic| Publish {
                topic,
                ..message.clone()
            })
            .collect();
        message.topic = last;
        messages.push(message);
        Ok(messages)
    }

    /// Whether the topics of the options can be published to, as far as it is known now.
    ///
    /// # Errors
    /// Says why not.
    pub fn check_topics(&self) -> Result<(), String> {
        self.topics.iter().try_for_each(|topic| match &self.dice {
            None => check_topic(topic),
            Some(_) => template(topic.as_bytes()).map(drop),
        })
    }

    fn properties(&self, own: Properties) -> Result<Properties, String> {
        if own.is_empty() {
            return Ok(self.properties.clone());
        }
        if self.version < Version::V5 {
            return Err(format!(
                "it has properties, which MQTT {} has not; add --protocol-version 5",
                self.version
            ));
        }
        for property in &own.0 {
            check_property(property)?;
        }
        let is_own = |property: &&Property| {
            let kind = std::mem::discriminant(*property);
            own.0
                .iter()
                .any(|each| std::mem::discriminant(each) == kind)
        };
        let others = self.properties.0.iter().filter(|each| !is_own(each));
        Ok(Properties(
            others.cloned().chain(own.0.iter().cloned()).collect(),
        ))
    }
}

fn filled(text: &Bytes, filling: &mut Filling<'_>) -> Result<Bytes, String> {
    Ok(template(text)?.fill(filling).into())
}

fn template(text: &[u8]) -> Result<Template, String> {
    Template::parse(text, |name| std::env::var(name).ok())
}

/// Whether it can be published to.
///
/// # Errors
/// Says why not.
pub fn check_topic(topic: &str) -> Result<(), String> {
    if topic::is_valid_topic_name(topic) {
        return Ok(());
    }
    Err(match topic.len() {
        0 => "the topic is empty".to_owned(),
        65_536.. => "the topic is longer than 65535 bytes".to_owned(),
        _ if topic.contains('\0') => "the topic contains NUL".to_owned(),
        _ => format!("{topic:?} is no topic to publish to: + and # stand in topic filters only"),
    })
}

/// Whether MQTT can say it.
fn check_property(property: &Property) -> Result<(), String> {
    let text = |what: &str, text: &str| match text.len() {
        65_536.. => Err(format!("{what} is longer than 65535 bytes")),
        _ if text.contains('\0') => Err(format!("{what} contains NUL")),
        _ => Ok(()),
    };
    match property {
        Property::ContentType(value) => text("content_type", value),
        Property::ResponseTopic(topic) => {
            check_topic(topic).map_err(|error| format!("response_topic: {error}"))
        }
        Property::CorrelationData(bytes) if bytes.len() > usize::from(u16::MAX) => {
            Err("correlation_data is longer than 65535 bytes".to_owned())
        }
        Property::UserProperty(name, value) => {
            text("the name of a user property", name)?;
            text("the value of a user property", value)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composer() -> Composer {
        Composer {
            topics: vec!["a".into()],
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::default(),
            encoding: Encoding::Plain,
            dice: None,
            version: Version::V5,
            needs_handshake: None,
        }
    }

    fn composed(composer: &mut Composer, draft: Draft) -> Result<Vec<Publish>, String> {
        composer.compose(draft, 3, || Timestamp::UNIX_EPOCH)
    }

    fn draft(payload: &'static str) -> Draft {
        Bytes::from_static(payload.as_bytes()).into()
    }

    #[test]
    fn a_message_goes_to_every_topic_unless_it_names_its_own() {
        let mut composer = composer();
        composer.topics.push("b".into());
        let topics = |composer: &mut Composer, draft| -> Vec<String> {
            let messages = composed(composer, draft).unwrap();
            messages.iter().map(|each| each.topic.to_string()).collect()
        };
        assert_eq!(topics(&mut composer, draft("x")), ["a", "b"]);
        let own = Draft {
            topic: Some("c".into()),
            ..draft("x")
        };
        assert_eq!(topics(&mut composer, own.clone()), ["c"]);
        composer.topics.clear();
        assert_eq!(topics(&mut composer, own), ["c"]);
        assert_eq!(
            composed(&mut composer, draft("x")).unwrap_err(),
            "it names no topic, and there is no --topic"
        );
    }

    #[test]
    fn what_a_message_says_itself_wins() {
        let mut composer = composer();
        composer.properties = Properties(vec![
            Property::ContentType("t".into()),
            Property::UserProperty("k".into(), "1".into()),
        ]);
        let message = composed(&mut composer, draft("x")).unwrap().remove(0);
        assert_eq!((message.qos, message.retain), (QoS::AtLeastOnce, true));
        assert_eq!(message.properties, composer.properties);
        let own = Draft {
            qos: Some(QoS::ExactlyOnce),
            retain: Some(false),
            properties: Properties(vec![Property::ContentType("own".into())]),
            ..draft("x")
        };
        let message = composed(&mut composer, own.clone()).unwrap().remove(0);
        assert_eq!((message.qos, message.retain), (QoS::ExactlyOnce, false));
        assert_eq!(
            message.properties.0,
            [
                Property::UserProperty("k".into(), "1".into()),
                Property::ContentType("own".into())
            ]
        );
        composer.version = Version::V311;
        assert_eq!(
            composed(&mut composer, own).unwrap_err(),
            "it has properties, which MQTT 3.1.1 has not; add --protocol-version 5"
        );
    }

    #[test]
    fn a_template_is_filled_in_payload_and_topic_and_only_when_asked() {
        let mut composer = composer();
        composer.topics = vec!["n/{{count}}".into(), "m".into()];
        let messages = composed(&mut composer, draft("{{count}}")).unwrap();
        assert_eq!(messages[0].payload, "{{count}}");
        composer.dice = Some(Dice::new(Some(1)));
        let messages = composed(&mut composer, draft("{{count}}")).unwrap();
        let written: Vec<String> = messages
            .iter()
            .map(|each| format!("{} {:?}", each.topic, each.payload))
            .collect();
        assert_eq!(written, ["n/3 b\"3\"", "m b\"3\""]);
        composer.topics = vec!["{{{{count}}".into(), "+{{count}}".into()];
        assert!(composed(&mut composer, draft("x")).is_err());
    }

    #[test]
    fn what_cannot_be_published_is_refused_whole() {
        let mut composer = composer();
        let to = |topic: &str| Draft {
            topic: Some(topic.into()),
            ..draft("x")
        };
        for (topic, words) in [
            ("", "the topic is empty"),
            ("a\0", "the topic contains NUL"),
            (
                "a/#",
                "\"a/#\" is no topic to publish to: + and # stand in topic filters only",
            ),
        ] {
            assert_eq!(composed(&mut composer, to(topic)).unwrap_err(), words);
        }
        composer.encoding = Encoding::Hex;
        assert!(composed(&mut composer, draft("x")).is_err());
        composer.encoding = Encoding::Plain;
        composer.needs_handshake = Some("it has to be 1");
        let qos_0 = Draft {
            qos: Some(QoS::AtMostOnce),
            ..draft("x")
        };
        assert_eq!(
            composed(&mut composer, qos_0).unwrap_err(),
            "QoS 0 will not do: it has to be 1"
        );
        composer.properties = Properties(vec![Property::PayloadFormatIndicator(1)]);
        let binary = Draft::from(Bytes::from_static(b"\xff"));
        assert_eq!(
            composed(&mut composer, binary).unwrap_err(),
            "the payload is not UTF-8, but --payload-format-indicator says that it is"
        );
    }
}
