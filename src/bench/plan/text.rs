//! How the values of a plan are written, in TOML and in JSON alike.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Run;
use crate::mqtt::QoS;

pub(super) fn one() -> u32 {
    1
}

pub(super) fn at_most_once() -> QoS {
    QoS::AtMostOnce
}

pub(super) fn at_least_once() -> QoS {
    QoS::AtLeastOnce
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn window() -> u16 {
    100
}

/// `1m 30s`, or a number of seconds.
pub(super) mod duration {
    use std::time::Duration;

    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    use crate::span;

    pub(in super::super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(Words)
    }

    struct Words;

    impl Visitor<'_> for Words {
        type Value = Duration;

        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("a duration, for example \"1m 30s\" or 2.5")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            span::parse(text).map_err(E::custom)
        }

        fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
            span::parse(&seconds.to_string()).map_err(E::custom)
        }

        fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
            self.visit_f64(seconds as f64)
        }

        fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
            self.visit_f64(seconds as f64)
        }
    }
}

/// 0, 1 or 2.
pub(super) mod qos {
    use serde::de::Error;

    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        qos: &QoS,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(qos.number())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<QoS, D::Error> {
        QoS::from_number(u8::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("a quality of service is 0, 1 or 2"))
    }
}

/// A value that stands for a list of one, or a list.
pub(super) mod one_or_more {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
    use serde::de::{Error, SeqAccess, Visitor};

    use super::*;

    pub(in super::super) fn serialize<T: Serialize, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match values {
            [one] => one.serialize(serializer),
            more => more.serialize(serializer),
        }
    }

    pub(in super::super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_any(Values(PhantomData))
    }

    struct Values<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
        type Value = Vec<T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a text or a list of texts")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
            T::deserialize(StrDeserializer::new(text)).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(list))
        }
    }
}

/// Eight hexadecimal digits.
impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Run {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Run, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
