//! What a coordinator and its agents say to each other: JSON texts, and the topics they go to.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::books::Books;
use super::seconds::Second;
use crate::bench::load::cast::Place;
use crate::bench::load::standing::Standing;
use crate::bench::plan::Run;
use crate::bench::report::Report;
use crate::client::{ConnectOptions, Endpoint};
use crate::mqtt::{Version, topic};

/// The version of all this. Machines with different ones do not work together.
pub const PROTOCOL: u32 = 3;

/// The topics, below a common beginning. Who may write to `call` and `to/+` steers the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics(String);

impl Topics {
    /// Where everybody is asked: agents listen.
    pub fn call(&self) -> String {
        format!("{}/call", self.0)
    }

    /// Where an agent says that it is there or gone; `+` for all.
    pub fn presence(&self, agent: &str) -> String {
        format!("{}/agents/{agent}", self.0)
    }

    /// Where one agent takes its orders.
    pub fn to(&self, agent: &str) -> String {
        format!("{}/to/{agent}", self.0)
    }

    /// Where one agent answers in one run; `+` for all.
    pub fn from(&self, run: Run, agent: &str) -> String {
        format!("{}/from/{run}/{agent}", self.0)
    }
}

/// Any topic may be the beginning.
impl FromStr for Topics {
    type Err = String;

    fn from_str(text: &str) -> Result<Topics, String> {
        match topic::is_valid_topic_name(text) && !text.ends_with('/') {
            true => Ok(Topics(text.to_owned())),
            false => Err("it is a topic, without + and # and without / at the end".to_owned()),
        }
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// An agent's name: one level of a topic.
///
/// # Errors
/// What it may not be.
pub fn agent_name(text: &str) -> Result<String, String> {
    match topic::is_valid_topic_name(text) && !text.contains(['/', ',']) && text.trim() == text {
        true => Ok(text.to_owned()),
        false => Err("a name has none of / + # and the comma, and no space at its ends".to_owned()),
    }
}

/// Said to everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Call {
    /// Who is there?
    Who,
    /// The coordinator of this run is gone.
    Over { run: Run },
}

/// Said by an agent of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "agent", rename_all = "kebab-case")]
pub enum Presence {
    /// It is there.
    Here(Card),
    /// It is not any more; as its will, or by itself.
    Gone,
    /// It speaks another version.
    #[serde(skip)]
    Foreign {
        /// Of these texts.
        protocol: u64,
        /// Of the program.
        version: String,
    },
}

/// Who an agent is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// Of the program.
    pub version: String,
    /// By which it can be asked for together with others.
    #[serde(default)]
    pub group: Option<String>,
    /// The machine's name.
    pub host: String,
    /// Its processors.
    pub cpus: usize,
    /// The run it is busy with.
    #[serde(default)]
    pub run: Option<Run>,
}

impl Presence {
    /// Reads one of any version.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Presence, String> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let protocol = value.get("protocol").and_then(serde_json::Value::as_u64);
        match protocol.filter(|protocol| *protocol != u64::from(PROTOCOL)) {
            Some(protocol) => Ok(Presence::Foreign {
                protocol,
                version: value["version"].as_str().unwrap_or("unknown").to_owned(),
            }),
            None => serde_json::from_value(value).map_err(|error| error.to_string()),
        }
    }
}

/// An order to one agent, in a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ordered {
    /// Which run.
    pub run: Run,
    /// What is to be done.
    #[serde(flatten)]
    pub order: Order,
}

/// What an agent is to do. Times are the agent's own, in nanoseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Order {
    /// Make yourself ready for this plan.
    Prepare(Preparation),
    /// Say what time it is.
    Clock { round: u32 },
    /// Connect your clients from this moment on.
    Connect { at_ns: i64 },
    /// Begin the load at this moment, which the coordinator calls `unix_ns`.
    Start { at_ns: i64, unix_ns: i64 },
    /// End the load early.
    Stop,
    /// Nobody publishes any more; wait for what is on its way.
    Drain,
    /// Nothing is on its way any more; end the connections.
    Close,
    /// What all agents sent, to close the ledgers with.
    Books { books: Books },
    /// Forget this run, whatever you are at.
    Leave,
}

/// All there is to know before a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The coordinator's machine.
    pub coordinator: String,
    /// The whole plan, as TOML.
    pub plan: String,
    /// Which of its clients are to be here.
    pub place: Place,
    /// Which broker the load is put on.
    pub target: Target,
    /// Threads that share the connections.
    #[serde(default)]
    pub workers: Option<u16>,
}

/// The broker under test, and how one connects there. TLS is each machine's own matter.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// URLs; of several each client takes the one that its number says.
    pub brokers: Vec<String>,
    /// Of MQTT: `3.1`, `3.1.1` or `5`.
    pub version: String,
    /// With placeholders; empty for what is usual.
    #[serde(default)]
    pub client_id: String,
    /// With placeholders.
    #[serde(default)]
    pub username: Option<String>,
    /// With placeholders.
    #[serde(default)]
    pub password: Option<String>,
    /// Seconds.
    pub keep_alive: u16,
    /// Milliseconds.
    pub connect_timeout_ms: u64,
    /// The host is a domain with SRV records.
    #[serde(default)]
    pub srv: bool,
}

/// A password is not for the screen.
impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Target")
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Of options for the broker, or for `brokers` where there are several.
    ///
    /// # Errors
    /// When they say something that only holds on this machine.
    pub fn of(options: &ConnectOptions, brokers: &[Endpoint]) -> Result<Target, String> {
        let password = options.password.as_deref().map(std::str::from_utf8);
        let password = password.transpose().map_err(|_| {
            "the password of the broker under test is no text, which agents cannot be told"
                .to_owned()
        })?;
        let route = &options.route;
        for (option, is_given) in [
            ("--proxy", route.proxy.is_some()),
            ("--bind", route.bind.is_some()),
            ("--ws-header", !route.headers.is_empty()),
        ] {
            if is_given {
                return Err(format!(
                    "{option} is of this machine, and has no place with --agents"
                ));
            }
        }
        let brokers = match brokers {
            [] => std::slice::from_ref(&options.endpoint),
            several => several,
        };
        Ok(Target {
            brokers: brokers.iter().map(ToString::to_string).collect(),
            version: options.version.to_string(),
            client_id: options.client_id.clone(),
            username: options.username.clone(),
            password: password.map(str::to_owned),
            keep_alive: options.keep_alive,
            connect_timeout_ms: options.connect_timeout.as_millis() as u64,
            srv: route.srv,
        })
    }

    /// How to connect, and the brokers when there are several.
    ///
    /// # Errors
    /// What of it makes no sense.
    pub fn options(&self) -> Result<(ConnectOptions, Vec<Endpoint>), String> {
        let parse = |url: &String| url.parse().map_err(|error| format!("{url}: {error}"));
        let brokers: Vec<Endpoint> = self.brokers.iter().map(parse).collect::<Result<_, _>>()?;
        let first = brokers.first().ok_or("no broker to put the load on")?;
        let mut options = ConnectOptions::new(first.clone());
        let versions = [Version::V31, Version::V311, Version::V5];
        let known = versions
            .into_iter()
            .find(|version| version.to_string() == self.version);
        options.version = known.ok_or_else(|| format!("there is no MQTT {:?}", self.version))?;
        options.client_id.clone_from(&self.client_id);
        options.username.clone_from(&self.username);
        options.password = self.password.clone().map(Into::into);
        options.keep_alive = self.keep_alive;
        options.connect_timeout = Duration::from_millis(self.connect_timeout_ms);
        options.route.srv = self.srv;
        let several = if brokers.len() > 1 {
            brokers
        } else {
            Vec::new()
        };
        Ok((options, several))
    }
}

/// What an agent answers in a run. Times are its own, in nanoseconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Answer {
    /// It can carry the plan out.
    Prepared,
    /// When a question about the time came, and when this left.
    Clock {
        round: u32,
        came_ns: i64,
        went_ns: i64,
    },
    /// All its clients are connected and subscribed.
    Ready,
    /// How far it is; also just to be heard of.
    Standing { standing: Standing },
    /// What it recorded in a second.
    Second { second: Second },
    /// What its clients sent.
    Books { books: Books },
    /// Its part of the report.
    Saved { report: Box<Report> },
    /// It cannot go on: why, and the status a program ends with for that reason.
    Failed { words: String, status: u8 },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bench::load::cast::Spread;
    use crate::bench::report::tests::report;

    #[test]
    fn an_order_is_one_flat_object() {
        let ordered = |order| Ordered {
            run: Run(0xC0FFEE),
            order,
        };
        let json = |order| serde_json::to_string(&ordered(order)).unwrap();
        assert_eq!(
            json(Order::Start {
                at_ns: -5,
                unix_ns: 7
            }),
            r#"{"run":"00c0ffee","order":"start","at_ns":-5,"unix_ns":7}"#
        );
        let prepare = json(Order::Prepare(Preparation {
            protocol: PROTOCOL,
            coordinator: "here".to_owned(),
            plan: String::new(),
            place: Place {
                machine: 1,
                machines: 2,
                spread: Spread::Apart,
            },
            target: Target::of(&ConnectOptions::new(Endpoint::default()), &[]).unwrap(),
            workers: None,
        }));
        let back: Ordered = serde_json::from_str(&prepare).unwrap();
        let Order::Prepare(preparation) = back.order else {
            panic!("{prepare}");
        };
        assert_eq!(preparation.place.spread, Spread::Apart);
        let books = json(Order::Books {
            books: Books::default(),
        });
        assert_eq!(books, r#"{"run":"00c0ffee","order":"books","books":[]}"#);
        assert!(serde_json::from_str::<Ordered>(r#"{"run":"00c0ffee","order":"dance"}"#).is_err());
    }

    #[test]
    fn a_report_comes_over_as_it_was() {
        let report = report(1, |_| {});
        let json = serde_json::to_string(&report).unwrap();
        let answer = serde_json::to_string(&Answer::Saved {
            report: Box::new(report),
        });
        let Ok(Answer::Saved { report }) = serde_json::from_str(&answer.unwrap()) else {
            panic!("no report");
        };
        assert_eq!(serde_json::to_string(&report).unwrap(), json);
    }

    #[test]
    fn a_card_of_another_version_is_read_as_far_as_that() {
        let card = r#"{"agent":"here","protocol":9,"version":"3.0","what":[]}"#;
        let foreign = Presence::Foreign {
            protocol: 9,
            version: "3.0".to_owned(),
        };
        assert_eq!(Presence::read(card), Ok(foreign));
        assert_eq!(Presence::read(r#"{"agent":"gone"}"#), Ok(Presence::Gone));
        let here = Presence::Here(Card {
            protocol: PROTOCOL,
            version: "0".to_owned(),
            group: None,
            host: "h".to_owned(),
            cpus: 2,
            run: Some(Run(1)),
        });
        let json = serde_json::to_string(&here).unwrap();
        assert_eq!(Presence::read(&json), Ok(here));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"agent":"here"}"#,
            r#"{"agent":"here","protocol":3}"#,
        ] {
            assert!(Presence::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn topics_and_names_are_what_a_broker_takes() {
        let topics: Topics = "lab/bench".parse().unwrap();
        assert_eq!(topics.call(), "lab/bench/call");
        assert_eq!(topics.presence("+"), "lab/bench/agents/+");
        assert_eq!(topics.to("a"), "lab/bench/to/a");
        assert_eq!(topics.from(Run(1), "+"), "lab/bench/from/00000001/+");
        for wrong in ["", "a/", "a/+", "#"] {
            assert!(wrong.parse::<Topics>().is_err(), "{wrong}");
        }
        assert!(agent_name("lab 1.example").is_ok());
        for wrong in ["", "a/b", "+", "a#", "a,b", " a"] {
            assert!(agent_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_broker_under_test_comes_over_with_all_that_is_not_a_machine_s_own() {
        let mut options = ConnectOptions::new("mqtts://[::1]:7".parse().unwrap());
        options.version = Version::V5;
        options.username = Some("u%i".to_owned());
        options.password = Some("p%i".into());
        options.client_id = "c%i".to_owned();
        options.keep_alive = 9;
        options.connect_timeout = Duration::from_millis(1500);
        let target = Target::of(&options, &[]).unwrap();
        assert!(!format!("{target:?}").contains("p%i"));
        let json = serde_json::to_string(&target).unwrap();
        let target: Target = serde_json::from_str(&json).unwrap();
        let (back, several) = target.options().unwrap();
        assert_eq!(back.endpoint.to_string(), "mqtts://[::1]:7");
        assert_eq!((back.version, back.keep_alive), (Version::V5, 9));
        assert_eq!(
            (back.username, back.password),
            (options.username.clone(), options.password.clone())
        );
        assert_eq!(
            (back.client_id, back.connect_timeout),
            (options.client_id.clone(), options.connect_timeout)
        );
        assert!(several.is_empty());
        let two: Vec<Endpoint> = ["mqtt://a", "mqtt://b"]
            .map(|url| url.parse().unwrap())
            .into();
        assert_eq!(
            Target::of(&options, &two).unwrap().options().unwrap().1,
            two
        );
        options.route.bind = Some("127.0.0.1".parse().unwrap());
        assert!(Target::of(&options, &[]).unwrap_err().starts_with("--bind"));
        options.route.bind = None;
        options.password = Some(vec![0xFF].into());
        assert!(Target::of(&options, &[]).is_err());
        let odd = |change: fn(&mut Target)| {
            let mut target = target.clone();
            change(&mut target);
            target.options().is_err()
        };
        assert!(odd(|target| target.brokers.clear()));
        assert!(odd(|target| target.brokers[0] = "http://x".to_owned()));
        assert!(odd(|target| target.version = "4".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "[{}\\[\\]\",:a-z0-9_]{0,60}|.{0,40}") {
            let _ = Presence::read(&text);
            let _ = serde_json::from_str::<Call>(&text);
            let _ = serde_json::from_str::<Ordered>(&text);
            let _ = serde_json::from_str::<Answer>(&text);
        }
    }
}
