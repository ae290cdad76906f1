//! Running a command for a message: the payload on its stdin, all else there is to know in its environment. Never
//! through a shell: nothing that a message carries is read as a command.
//!
//! | variable | value |
//! |---|---|
//! | `MQTT_TOPIC`, `MQTT_QOS` | the topic; 0, 1 or 2 |
//! | `MQTT_RETAIN` | 1 for a retained message, else 0 |
//! | `MQTT_PROPERTY_...` | a property of MQTT 5 by its name: `CONTENT_TYPE`, `RESPONSE_TOPIC`, `CORRELATION_DATA`, `MESSAGE_EXPIRY_INTERVAL`, `PAYLOAD_FORMAT_INDICATOR`, `SUBSCRIPTION_IDENTIFIER` |
//! | `MQTT_PROPERTY_CORRELATION_DATA_BASE64` | instead, when it is no text |
//! | `MQTT_PROPERTY_USER_...` | a user property, its name in capitals and with _ for what is no letter or digit; of several the last |
//!
//! What the message does not have is not set.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::exit::Exit;
use crate::mqtt::Property;
use crate::mqtt::packet::Publish;

/// A program and its arguments.
#[derive(Debug, Clone)]
pub(super) struct Exec {
    words: Vec<OsString>,
}

/// Why a command did not do what it was run for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// It never will: there is no such program, or it may not be run.
    #[error("cannot run {program}: {error}; check --exec")]
    NoProgram { program: String, error: io::Error },
    /// This time.
    #[error("{words}")]
    Run { words: String },
}

impl Exec {
    /// The command that these words are; `None` without a word.
    ///
    /// # Errors
    /// When there is no such program.
    pub(super) fn of(words: &[OsString]) -> anyhow::Result<Option<Exec>> {
        let Some(program) = words.first() else {
            return Ok(None);
        };
        let program = Path::new(program);
        let is_there = match program.components().count() {
            1 => std::env::var_os("PATH").is_some_and(|path| {
                std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
            }),
            _ => program.is_file(),
        };
        match is_there {
            true => Ok(Some(Exec {
                words: words.to_vec(),
            })),
            false => Err(Exit::Failed.because(format!(
                "there is no program {}; check --exec",
                program.display()
            ))),
        }
    }

    /// Runs it to its end. What it prints goes where this program prints.
    ///
    /// # Errors
    /// When it cannot be run, or does not end with status 0.
    pub(super) async fn run(&self, message: &Publish) -> Result<(), Failed> {
        self.output(message, Stdio::inherit()).await.map(drop)
    }

    /// Runs it to its end and returns what it printed on stdout.
    ///
    /// # Errors
    /// As [`Exec::run`].
    pub(super) async fn answer(&self, message: &Publish) -> Result<Vec<u8>, Failed> {
        self.output(message, Stdio::piped()).await
    }

    async fn output(&self, message: &Publish, stdout: Stdio) -> Result<Vec<u8>, Failed> {
        let program = self.words[0].to_string_lossy();
        let topic = &message.topic;
        let spawned = Command::new(&self.words[0])
            .args(&self.words[1..])
            .envs(environment(message))
            .stdin(Stdio::piped())
            .stdout(stdout)
            .spawn();
        let mut child = spawned.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Failed::NoProgram {
                program: program.to_string(),
                error,
            },
            _ => Failed::Run {
                words: format!("cannot run {program} on topic {topic}: {error}"),
            },
        })?;
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // It need not read what it is given.
                let _ = stdin.write_all(&message.payload).await;
            }
        };
        let end = std::pin::pin!(child.wait_with_output());
        let Output { status, stdout, .. } =
            ended(feed, end).await.map_err(|error| Failed::Run {
                words: format!("cannot wait for {program} on topic {topic}: {error}"),
            })?;
        match status.success() {
            true => Ok(stdout),
            false => Err(Failed::Run {
                words: format!("{program} failed on topic {topic}: {}", words_of(status)),
            }),
        }
    }
}

/// Feeds the command until it has everything or has ended.
async fn ended<E: Future<Output = io::Result<Output>> + Unpin>(
    feed: impl Future<Output = ()>,
    mut end: E,
) -> io::Result<Output> {
    tokio::select! {
        output = &mut end => return output,
        () = feed => {}
    }
    end.await
}

fn words_of(status: std::process::ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("it ended with status {code}"),
        // Its own words: `signal: 9 (SIGKILL)`.
        None => format!("it was ended by a {status}"),
    }
}

/// What a command is told about the message.
fn environment(message: &Publish) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        // The operating system takes no NUL there.
        if !value.contains('\0') {
            variables.insert(format!("MQTT_{name}"), value);
        }
    };
    set("TOPIC", message.topic.to_string());
    set("QOS", message.qos.number().to_string());
    set("RETAIN", u8::from(message.retain).to_string());
    for property in &message.properties.0 {
        match property {
            Property::PayloadFormatIndicator(value) => {
                set("PROPERTY_PAYLOAD_FORMAT_INDICATOR", value.to_string());
            }
            Property::MessageExpiryInterval(value) => {
                set("PROPERTY_MESSAGE_EXPIRY_INTERVAL", value.to_string());
            }
            Property::ContentType(text) => set("PROPERTY_CONTENT_TYPE", text.to_string()),
            Property::ResponseTopic(text) => set("PROPERTY_RESPONSE_TOPIC", text.to_string()),
            Property::CorrelationData(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => {
                    set("PROPERTY_CORRELATION_DATA", text.to_owned());
                }
                _ => set("PROPERTY_CORRELATION_DATA_BASE64", BASE64.encode(bytes)),
            },
            Property::SubscriptionIdentifier(value) => {
                set("PROPERTY_SUBSCRIPTION_IDENTIFIER", value.to_string());
            }
            Property::UserProperty(name, value) => {
                set(
                    &format!("PROPERTY_USER_{}", capitals(name)),
                    value.to_string(),
                );
            }
            _ => {}
        }
    }
    variables
}

fn capitals(name: &str) -> String {
    let letter = |character: char| match character.is_ascii_alphanumeric() {
        true => character.to_ascii_uppercase(),
        false => '_',
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::{Properties, QoS};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn message(payload: &[u8]) -> Publish {
        Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: "a/ü".into(),
            packet_id: 7,
            properties: Properties(vec![
                Property::ContentType("text/plain".into()),
                Property::CorrelationData(Bytes::from_static(b"\xff")),
                Property::UserProperty("trace-id".into(), "1".into()),
                Property::UserProperty("trace-id".into(), "2".into()),
            ]),
            payload: Bytes::copy_from_slice(payload),
        }
    }

    #[test]
    fn the_environment_says_what_the_message_has() {
        let told = environment(&message(b""));
        let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(
            told,
            [
                ("MQTT_PROPERTY_CONTENT_TYPE", "text/plain"),
                ("MQTT_PROPERTY_CORRELATION_DATA_BASE64", "/w=="),
                ("MQTT_PROPERTY_USER_TRACE_ID", "2"),
                ("MQTT_QOS", "1"),
                ("MQTT_RETAIN", "1"),
                ("MQTT_TOPIC", "a/ü"),
            ]
        );
    }

    fn exec(words: &[&str]) -> Exec {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Exec { words }
    }

    #[tokio::test]
    async fn a_command_gets_the_payload_whole_and_its_answer_comes_back_whole() {
        let payload: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
        let (cat, message) = (exec(&["cat"]), message(&payload));
        let answer = cat.output(&message, Stdio::piped()).await.unwrap();
        assert!(answer == payload);
    }

    #[tokio::test]
    async fn a_command_that_does_not_read_is_no_trouble_and_one_that_fails_is_named() {
        let large = message(&vec![0; 1_000_000]);
        exec(&["true"]).run(&large).await.unwrap();
        for (words, expected) in [
            (
                &["false"][..],
                "false failed on topic a/ü: it ended with status 1",
            ),
            (
                &["sh", "-c", "kill -9 $$"],
                "sh failed on topic a/ü: it was ended by a signal: 9 (SIGKILL)",
            ),
            (
                &["/nonexistent/command"],
                "cannot run /nonexistent/command: No such file or directory (os error 2); check --exec",
            ),
        ] {
            let error = exec(words).run(&large).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_noticed_before_anything_is_done() {
        let of = |program: &str| Exec::of(&[program.into()]);
        assert!(of("sh").unwrap().is_some() && of("/bin/sh").unwrap().is_some());
        for program in ["no-such-program", "./no-such-program"] {
            let words = of(program).unwrap_err().to_string();
            assert_eq!(
                words,
                format!("there is no program {program}; check --exec")
            );
        }
    }

    proptest! {
        #[test]
        fn any_user_property_has_a_name_a_shell_can_say(name in ".{0,20}", value in ".{0,20}") {
            let mut message = message(b"");
            message.properties = Properties(vec![Property::UserProperty(name.into(), value.into())]);
            for (name, value) in environment(&message) {
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'));
                prop_assert!(!value.contains('\0'));
            }
        }
    }
}
