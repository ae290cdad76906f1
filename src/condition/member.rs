//! The member of a JSON text that a JSON pointer (RFC 6901) names, and nothing else of the text.
//!
//! What the pointer passes by is checked as JSON but not kept, so the memory is that of the member, however large the text.
//! Beside the way, that lets pass what would not fit a value: numbers beyond a double, half a surrogate pair, bytes of a
//! string that are no UTF-8, more levels than the parser would descend.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Box<str>>);

impl Pointer {
    /// `None` when the text is not empty and does not begin with `/`.
    pub(super) fn new(text: &str) -> Option<Pointer> {
        let mut tokens = text.split('/');
        let plain = |token: &str| token.replace("~1", "/").replace("~0", "~").into();
        match tokens.next() {
            Some("") => Some(Pointer(tokens.map(plain).collect())),
            _ => None,
        }
    }

    /// The member, `None` when the text has none or is not JSON. Of members with the same name the last counts.
    pub(super) fn follow<'text, T: Deserialize<'text>>(&self, text: &'text [u8]) -> Option<T> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let found = Way::to(&self.0).deserialize(&mut json).ok()?;
        json.end().ok()?;
        found
    }
}

/// What is still before us.
struct Way<'p, T> {
    tokens: &'p [Box<str>],
    member: PhantomData<T>,
}

impl<'p, T> Way<'p, T> {
    fn to(tokens: &'p [Box<str>]) -> Way<'p, T> {
        Way {
            tokens,
            member: PhantomData,
        }
    }
}

impl<'text, T: Deserialize<'text>> DeserializeSeed<'text> for Way<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'text>>(self, json: D) -> Result<Option<T>, D::Error> {
        match self.tokens {
            [] => T::deserialize(json).map(Some),
            _ => json.deserialize_any(self),
        }
    }
}

impl<'text, T: Deserialize<'text>> Visitor<'text> for Way<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'text>>(self, mut members: A) -> Result<Option<T>, A::Error> {
        let [token, rest @ ..] = self.tokens else {
            return Ok(None);
        };
        let mut found = None;
        while let Some(is_it) = members.next_key_seed(Is(token))? {
            if is_it {
                found = members.next_value_seed(Way::to(rest))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'text>>(self, mut elements: A) -> Result<Option<T>, A::Error> {
        let [token, rest @ ..] = self.tokens else {
            return Ok(None);
        };
        let mut found = None;
        if let Some(index) = index(token) {
            for _ in 0..index {
                if elements.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
            }
            found = elements.next_element_seed(Way::to(rest))?.flatten();
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    // Everything else has no members.

    fn visit_bool<E: Error>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
}

/// RFC 6901, section 4: digits, without a leading zero.
fn index(token: &str) -> Option<usize> {
    let is_canonical = token == "0" || !token.starts_with(['0', '+']);
    is_canonical.then(|| token.parse().ok()).flatten()
}

/// Whether a name is this one.
struct Is<'p>(&'p str);

impl<'text> DeserializeSeed<'text> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'text>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn member(pointer: &str, text: &str) -> Option<Value> {
        Pointer::new(pointer).unwrap().follow(text.as_bytes())
    }

    #[test]
    fn of_members_with_the_same_name_the_last_counts() {
        for (pointer, text, expected) in [
            ("/a", r#"{"a": 1, "b": 2, "a": 3}"#, Some("3")),
            ("/a/b", r#"{"a": {"b": 1}, "a": {"c": 2}}"#, None),
            ("/a/b", r#"{"a": 7, "\u0061": {"b": 1}}"#, Some("1")),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(member(pointer, text), expected, "{pointer} {text}");
        }
    }

    #[test]
    fn what_the_pointer_passes_by_must_be_json_but_need_not_fit() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for beside in ["1e999", r#""\ud800""#, &deep] {
            let text = format!(r#"{{"beside": {beside}, "a": 1}}"#);
            assert_eq!(member("/a", &text), Some(1.into()), "{beside}");
        }
        for broken in [
            r#"{"a": 1, "b": }"#,
            r#"{"a": 1"#,
            r#"{"a": 1} 2"#,
            r#"{"a": 1, 2: 3}"#,
            "",
        ] {
            assert_eq!(member("/a", broken), None, "{broken}");
        }
        // Nor is there a way for the parser to run out of stack on the pointer's own way.
        let pointer = "/0".repeat(5000);
        assert_eq!(member(&pointer, &deep), None);
    }

    #[test]
    fn a_member_that_is_not_kept_takes_no_memory() {
        let text = format!(r#"{{"a": {}}}"#, "[".repeat(300) + &"]".repeat(300));
        let pointer = Pointer::new("/a").unwrap();
        assert!(pointer.follow::<IgnoredAny>(text.as_bytes()).is_some());
        assert!(pointer.follow::<Value>(text.as_bytes()).is_none());
    }

    /// Names and elements that pointers meet often, written in more than one way.
    fn name() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "a", "b", "", "0", "1", "01", "+1", "-", "~", "/", "~1", "~0", "é", "\"",
        ])
    }

    /// A JSON text, in which names may come twice.
    fn text() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            any::<u64>().prop_map(|value| value.to_string()),
            (-1e300..1e300).prop_map(|value: f64| format!("{value:e}")),
            "\\PC{0,6}".prop_map(|value| Value::from(value).to_string()),
            Just(r#""\u00e9\ud83d\ude00\n""#.to_owned()),
        ];
        scalar.prop_recursive(4, 40, 5, |inner| {
            let written = |(name, is_escaped, value): (&str, bool, String)| {
                let escaped = |letter| format!("\\u{:04x}", u32::from(letter));
                match is_escaped {
                    true => format!(
                        " \"{}\" : {value}",
                        name.chars().map(escaped).collect::<String>()
                    ),
                    false => format!("{}:{value}", Value::from(name)),
                }
            };
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|elements| format!("[{}]", elements.join(" , "))),
                prop::collection::vec((name(), any::<bool>(), inner), 0..5).prop_map(
                    move |members| {
                        let members: Vec<String> = members.into_iter().map(&written).collect();
                        format!("{{{}}}", members.join(","))
                    }
                ),
            ]
        })
    }

    fn pointer() -> impl Strategy<Value = String> {
        prop::collection::vec(name(), 0..5).prop_map(|names| {
            let token = |name: &str| name.replace('~', "~0").replace('/', "~1");
            names
                .iter()
                .map(|name| format!("/{}", token(name)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_looking_in_the_whole_value_finds(text in text(), pointer in pointer()) {
            let whole: Value = text.parse().unwrap();
            prop_assert_eq!(member(&pointer, &text), whole.pointer(&pointer).cloned());
        }

        #[test]
        fn every_member_is_found(text in text()) {
            fn each(value: &Value, way: String, visit: &mut dyn FnMut(String, &Value)) {
                match value {
                    Value::Array(elements) => elements
                        .iter()
                        .enumerate()
                        .for_each(|(index, value)| each(value, format!("{way}/{index}"), visit)),
                    Value::Object(members) => members.iter().for_each(|(name, value)| {
                        let token = name.replace('~', "~0").replace('/', "~1");
                        each(value, format!("{way}/{token}"), visit);
                    }),
                    _ => {}
                }
                visit(way, value);
            }
            let whole: Value = text.parse().unwrap();
            each(&whole, String::new(), &mut |way, value| {
                assert_eq!(member(&way, &text).as_ref(), Some(value), "{way} in {text}");
            });
        }

        #[test]
        fn pointers_are_read_as_in_the_whole_value(pointer in "[a~01/+-]{0,8}") {
            let whole = serde_json::json!({"a": ["x", {"~": 1, "/": 2, "~1": 3}], "~a": 4, "": {"": 5}});
            let text = whole.to_string();
            let found = Pointer::new(&pointer).and_then(|pointer| pointer.follow(text.as_bytes()));
            prop_assert_eq!(found.as_ref(), whole.pointer(&pointer));
        }

        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:0a\\u \xff".to_vec()), 0..30), pointer in pointer()) {
            Pointer::new(&pointer).unwrap().follow::<Value>(&bytes);
        }
    }
}
