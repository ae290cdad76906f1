//! What was typed becomes what is meant: flags, or a file, into a [`Plan`].

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::meaning;
use super::properties::spelled_out;
use super::session::{message_properties, session};
use crate::bench::plan::content::{Content, Source};
use crate::bench::plan::pace::Pace;
use crate::bench::plan::preset::Preset;
use crate::bench::plan::size::Size;
use crate::bench::plan::speed::Speed;
use crate::bench::plan::{
    Clients, Fate, Pattern, Plan, Publishers, Run, Scenario, Stop, Subscribers, Warmup, When, Wrong,
};
use crate::cli::bench::LoadArgs;
use crate::cli::bench::messages::MessageArgs;
use crate::exit::Exit;
use crate::mqtt::QoS;

/// The plan of a command line, or of the file it names.
///
/// # Errors
/// When an option has no meaning in the scenario, the file is no plan, or the run could not be carried out.
pub(super) fn plan(args: &LoadArgs) -> anyhow::Result<Plan> {
    let args = &spelled_out(args)?;
    let mut plan = match (&args.plan, args.presets.preset) {
        (Some(path), _) => read(path)?,
        (None, Some(preset)) => named(preset, args)?,
        (None, None) => typed(args)?,
    };
    let keep_alive = &mut plan.session.keep_alive;
    *keep_alive = args.connection.keepalive.or(*keep_alive);
    Ok(plan)
}

/// The plan in a file; `-` is stdin.
fn read(path: &Path) -> anyhow::Result<Plan> {
    let name = path.display();
    let text = super::text_of(path).with_context(|| format!("could not read --plan {name}"))?;
    let wrong = |words: String| Exit::Failed.because(format!("--plan {name}: {words}"));
    let plan = Plan::from_toml(&text).map_err(wrong)?;
    plan.check().map_err(|error| wrong(error.to_string()))?;
    plan.audience().map_err(wrong)?;
    Ok(plan)
}

/// A load that has a name, and the time that was typed.
fn named(preset: Preset, args: &LoadArgs) -> anyhow::Result<Plan> {
    let run = args.run.unwrap_or_else(Run::random);
    let wrong = |words: String| Exit::Usage.because(format!("--preset {}: {words}", preset.name));
    let mut plan = preset.plan(args.presets.scale, run).map_err(wrong)?;
    plan.stop = args.duration.map_or(plan.stop, Stop::After);
    plan.check().map_err(|error| wrong(error.to_string()))?;
    Ok(plan)
}

fn typed(args: &LoadArgs) -> anyhow::Result<Plan> {
    let scenario = args.scenario.unwrap_or(Scenario::PubSub);
    meaning::check(args, scenario)?;
    let plan = Typed {
        args,
        scenario,
        run: args.run.unwrap_or_else(Run::random),
    }
    .plan()?;
    let own_filter = args.filter.is_some();
    plan.check()
        .map_err(|wrong| Exit::Usage.because(in_words_of_flags(&wrong, own_filter)))?;
    plan.audience()
        .map_err(|words| Exit::Usage.because(words))?;
    Ok(plan)
}

/// A command line whose scenario is known.
struct Typed<'a> {
    args: &'a LoadArgs,
    scenario: Scenario,
    run: Run,
}

impl Typed<'_> {
    fn plan(&self) -> anyhow::Result<Plan> {
        use Scenario::{Pub, PubSub, Req, Shared, Slow, Sub};
        let (args, scenario) = (self.args, self.scenario);
        let mut plan = Plan {
            scenario,
            run: self.run,
            warmup: Warmup::default(),
            stop: self.stop(),
            session: session(args)?,
            publish: Vec::new(),
            subscribe: Vec::new(),
            connect: Vec::new(),
            fault: args.faults.fault.clone(),
        };
        self.add_groups(&mut plan)?;
        // Nobody subscribes where that was asked for.
        if !matches!(scenario, Sub | Req) {
            plan.subscribe.retain(|group| group.clients > 0);
        }
        let warms_up = matches!(scenario, PubSub | Pub | Sub | Shared | Req | Slow);
        let changes = args.rate.is_some_and(Pace::changes);
        plan.warmup = args.warmup.unwrap_or(match args.count {
            None if warms_up && !changes => Warmup::Fixed(Duration::from_secs(1)),
            _ => Warmup::default(),
        });
        if let (Slow, Stop::After(duration)) = (scenario, plan.stop)
            && let Some(slow) = plan.subscribe.last_mut()
        {
            slow.from = plan.warmup.fixed().unwrap_or_default() + duration / 2;
        }
        Ok(plan)
    }

    /// The clients that make the scenario what it is.
    fn add_groups(&self, plan: &mut Plan) -> anyhow::Result<()> {
        use Scenario::{
            Churn, Conn, Idle, Mixed, Offline, Pub, PubSub, ReconnectStorm, Req, RetainedStorm,
            Shared, Slow, Sub, TakeoverStorm, WillStorm,
        };
        let (args, scenario) = (self.args, self.scenario);
        match scenario {
            PubSub | Pub | Offline | Mixed => {
                let topic = self.topic("%i")?;
                let publish = self.publishers(10, topic.clone())?;
                let mut subscribe = self.subscribers(10, args.filter.clone().unwrap_or(topic))?;
                if scenario == Offline {
                    subscribe.when = When::Away;
                }
                plan.publish.push(publish);
                plan.subscribe
                    .extend(Some(subscribe).filter(|_| scenario != Pub));
                pair(plan, args.filter.is_some());
            }
            Sub => plan
                .subscribe
                .push(self.subscribers(10, self.topic("%i")?)?),
            Shared => {
                plan.publish.push(self.publishers(10, self.topic("%i")?)?);
                let filter = match &args.filter {
                    Some(filter) => filter.clone(),
                    None => pattern(&format!("$share/bench/bench/{}/+", self.run))?,
                };
                plan.subscribe.push(self.subscribers(10, filter)?);
            }
            Slow => {
                let mut publish = self.publishers(10, self.topic("%i")?)?;
                publish.rate = args.rate.unwrap_or("1k".parse().unwrap_or_default());
                // What is small fits into the sockets, and nobody is held up for a long time.
                if args.messages.size.is_none() && publish.payload.is_none() {
                    publish.size = Some(Size::Fixed(1000));
                }
                let others = self.subscribers(10, pattern(&format!("bench/{}/+", self.run))?)?;
                let slow = Subscribers {
                    clients: 1,
                    reads: args.reads.unwrap_or("10/s".parse().unwrap_or_default()),
                    ..others.clone()
                };
                plan.publish.push(publish);
                plan.subscribe.extend([others, slow]);
            }
            Req => {
                let mut publish = self.publishers(10, self.topic("ask/%i")?)?;
                publish.reply = Some(pattern(&format!("bench/{}/answer/%i", self.run))?);
                let share = match args.subscribers {
                    None | Some(1) => "",
                    Some(_) => "$share/bench/",
                };
                let filter = pattern(&format!("{share}bench/{}/ask/+", self.run))?;
                let mut subscribe = self.subscribers(1, filter)?;
                subscribe.answers = true;
                plan.publish.push(publish);
                plan.subscribe.push(subscribe);
            }
            RetainedStorm => {
                let mut publish = self.publishers(1, self.topic("%i/%s")?)?;
                publish.retain = true;
                let filter = pattern(&format!("bench/{}/#", self.run))?;
                let mut subscribe = self.subscribers(10, filter)?;
                subscribe.when = When::Late;
                plan.publish.push(publish);
                plan.subscribe.push(subscribe);
            }
            Conn | Idle => plan.connect.push(self.clients(Fate::Stay)),
            Churn => plan.connect.push(self.clients(Fate::Churn)),
            ReconnectStorm => plan.connect.push(self.clients(Fate::Reconnect)),
            TakeoverStorm => plan.connect.push(self.clients(Fate::Takeover)),
            WillStorm => {
                let mut clients = self.clients(Fate::Cut);
                clients.will = Some(self.topic("%i")?);
                let filter = pattern(&format!("bench/{}/+", self.run))?;
                plan.connect.push(clients);
                plan.subscribe.push(self.subscribers(1, filter)?);
            }
        }
        Ok(())
    }

    fn stop(&self) -> Stop {
        match (self.args.count, self.args.duration, self.scenario) {
            (Some(count), _, _) => Stop::Count(count),
            (None, Some(duration), _) => Stop::After(duration),
            (None, None, Scenario::Conn) => Stop::After(Duration::ZERO),
            (None, None, Scenario::RetainedStorm) => Stop::Count(1000),
            (None, None, Scenario::Offline) => Stop::Count(10_000),
            (
                None,
                None,
                Scenario::ReconnectStorm | Scenario::TakeoverStorm | Scenario::WillStorm,
            ) => Stop::After(Duration::from_secs(30)),
            (None, None, Scenario::Slow) => Stop::After(Duration::from_secs(10)),
            (None, None, _) => Stop::After(Duration::from_secs(5)),
        }
    }

    /// What was typed, or below the run's own topic.
    fn topic(&self, below: &str) -> anyhow::Result<Pattern> {
        match &self.args.topic {
            Some(topic) => Ok(topic.clone()),
            None => pattern(&format!("bench/{}/{below}", self.run)),
        }
    }

    fn qos(&self) -> anyhow::Result<QoS> {
        QoS::from_number(self.args.qos.unwrap_or(1)).context("a quality of service is 0, 1 or 2")
    }

    fn publishers(&self, clients: u32, topic: Pattern) -> anyhow::Result<Publishers> {
        let args = self.args;
        let messages = &args.messages;
        let payload = content(messages)?;
        Ok(Publishers {
            clients: args.publishers.unwrap_or(clients),
            topic: vec![topic],
            numbers: None,
            qos: self.qos()?,
            rate: args.rate.unwrap_or_default(),
            window: args.window.unwrap_or(100),
            size: match &payload {
                None => Some(messages.size.clone().unwrap_or_default()),
                Some(_) => None,
            },
            header: messages.header,
            retain: messages.retain,
            reply: None,
            payload,
            persistent: args.faults.persistent,
            topic_alias: messages.topic_alias,
            properties: message_properties(messages)?,
        })
    }

    fn subscribers(&self, clients: u32, filter: Pattern) -> anyhow::Result<Subscribers> {
        Ok(Subscribers {
            clients: self.args.subscribers.unwrap_or(clients),
            filter,
            numbers: None,
            qos: self.qos()?,
            when: When::Always,
            answers: false,
            persistent: self.args.faults.persistent,
            reads: Speed::All,
            from: Duration::ZERO,
        })
    }

    fn clients(&self, fate: Fate) -> Clients {
        let every = match fate {
            Fate::Churn => "50".parse().unwrap_or_default(),
            _ => Pace::Max,
        };
        Clients {
            clients: self.args.clients.unwrap_or(100),
            rate: self.args.rate.unwrap_or(every),
            fate,
            will: None,
        }
    }
}

/// What was given to send, if it was.
fn content(args: &MessageArgs) -> anyhow::Result<Option<Content>> {
    let source = match (
        &args.payload[..],
        &args.payload_file[..],
        &args.payload_lines,
    ) {
        ([], [], None) if args.template => {
            return Err(Exit::Usage.because(
                "--template needs a payload to fill in: add --payload, --payload-file or --payload-lines",
            ));
        }
        ([], [], None) => return Ok(None),
        ([], [], Some(lines)) => Source::Lines(lines.clone()),
        ([], files, _) => Source::Files(files.to_vec()),
        (texts, _, _) => Source::Texts(texts.to_vec()),
    };
    Ok(Some(Content {
        source,
        order: args.payload_order,
        template: args.template,
    }))
}

/// Without a filter of their own the larger of the two groups starts over at the size of the smaller one, so that
/// everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in, 10 and 20 two subscribers each.
fn pair(plan: &mut Plan, own_filter: bool) {
    let smaller = plan.publishers().min(plan.subscribers());
    if !own_filter && smaller > 0 {
        plan.publish[0].numbers = Some(smaller);
        plan.subscribe[0].numbers = Some(smaller);
    }
}

fn pattern(text: &str) -> anyhow::Result<Pattern> {
    text.parse()
        .map_err(|error: String| Exit::Usage.because(error))
}

fn flag_of_session(key: &str) -> &'static str {
    match key {
        "receive_maximum" => "--receive-maximum",
        "maximum_packet_size" => "--maximum-packet-size",
        "user_property" => "--connect-user-property:",
        _ => "the will",
    }
}

/// What is wrong, by the option that says it.
fn in_words_of_flags(wrong: &Wrong, own_filter: bool) -> String {
    let flag = match (wrong.table, wrong.key) {
        ("publish", "clients") => "publishers",
        ("subscribe", "clients") => "subscribers",
        ("fault", key) => return format!("--fault {key}= {}", wrong.words),
        ("session", key) => return format!("{} {}", flag_of_session(key), wrong.words),
        ("publish", "topic_alias") => "topic-alias",
        ("publish", "properties") => return format!("--{}", wrong.words.replacen('_', "-", 1)),
        ("subscribe", "filter") if !own_filter => "topic",
        (_, key) => key,
    };
    format!("--{flag} {}", wrong.words)
}
