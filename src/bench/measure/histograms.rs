//! Histograms that leave the process: by tag, each as the base64 of HdrHistogram's own compressed form (V2), which
//! every HdrHistogram library reads. Nothing is lost on the way.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::de::Error;
use serde::{Deserialize, Serialize};

use super::Recorder;

/// One histogram, in JSON a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded(pub Histogram<u64>);

impl Default for Encoded {
    fn default() -> Encoded {
        Encoded(super::histogram())
    }
}

impl Encoded {
    /// Adds what another one holds.
    pub fn add(&mut self, other: &Encoded) {
        self.0
            .add(&other.0)
            .expect("a histogram that resizes itself takes any other");
    }
}

/// Histograms by tag, those that recorded something.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Histograms(BTreeMap<String, Encoded>);

impl Histograms {
    /// Those of a recorder.
    pub fn of(recorder: &Recorder) -> Histograms {
        let recorded = recorder.histograms();
        let recorded = recorded.iter().filter(|(_, found)| !found.is_empty());
        let copy =
            |(tag, found): &(&str, &Histogram<u64>)| ((*tag).to_owned(), Encoded((*found).clone()));
        Histograms(recorded.map(copy).collect())
    }

    /// The one with this tag; `None` when nothing was recorded under it.
    pub fn tagged(&self, tag: &str) -> Option<&Histogram<u64>> {
        self.0.get(tag).map(|encoded| &encoded.0)
    }

    /// All of them, by tag.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Histogram<u64>)> {
        self.0.iter().map(|(tag, encoded)| (&**tag, &encoded.0))
    }

    /// Adds what others recorded.
    pub fn merge(&mut self, others: &Histograms) {
        for (tag, theirs) in &others.0 {
            match self.0.get_mut(tag) {
                Some(ours) => ours.add(theirs),
                None => drop(self.0.insert(tag.clone(), theirs.clone())),
            }
        }
    }
}

/// The base64 of a histogram's compressed form.
pub fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a histogram of this process fits into memory");
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Result<Histogram<u64>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let mut histogram: Histogram<u64> = Deserializer::new()
        .deserialize(&mut &bytes[..])
        .map_err(|error| format!("no histogram of HdrHistogram: {error:?}"))?;
    // So that others can be added to it, whatever its maker allowed.
    histogram.auto(true);
    Ok(histogram)
}

impl Serialize for Encoded {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Encoded, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Encoded).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bench::measure::histogram;

    #[test]
    fn what_is_no_histogram_is_an_error_and_no_panic() {
        for text in ["", "äö", "AAAA", "HISTFAAAAAR42g=="] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_histogram_comes_back_as_it_was_and_takes_others(values in proptest::collection::vec(0u64..4_000_000_000, 0..100)) {
            let mut histogram = histogram();
            for value in values {
                histogram.record(value).unwrap();
            }
            let mut back = decode(&encode(&histogram)).unwrap();
            prop_assert_eq!(&back, &histogram);
            back.add(&histogram).unwrap();
            back.record(1 << 40).unwrap();
            prop_assert_eq!(back.len(), histogram.len() * 2 + 1);
        }

        #[test]
        fn any_text_can_be_read(bytes: Vec<u8>) {
            let _ = decode(&STANDARD.encode(bytes));
        }
    }
}
