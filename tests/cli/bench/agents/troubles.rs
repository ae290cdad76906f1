//! Agents that are gone, silent, too few or of another version, and what is refused.

use serde_json::json;

use super::*;
use crate::servers::MqttServe;

#[test]
fn an_agent_that_is_cut_off_ends_the_run_and_the_other_waits_for_the_next() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let (mut one, mut other) = (agent(&url, "one", &[]), agent(&url, "other", &[]));
    let port = target.port();
    let load = at(&port, "--rate 100 --duration 1h");
    let mut run = coordinate(&url, "one,other", &[&load[..], &["-v"]].concat()).start();
    run.wait_for_stderr(|line| line.contains("everyone connected"));
    one.kill();
    let finished = run.wait();
    assert_eq!(finished.status, 7, "{finished:?}");
    assert!(finished.stdout.is_empty());
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("mqtt: agent one on ")
            && last.ends_with(" is gone; the run was ended on all machines"),
        "{last}"
    );
    let again = at(&port, "--count 100");
    let found = report(&url, "other", &again, 0);
    assert_eq!(found["delivery"]["received"], 100);
    other.wait_for_stderr(|line| line.ends_with(" is over"));
    dismiss([other]);
}

#[test]
fn an_agent_that_is_silent_is_given_up() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let mut mute = agent(&url, "mute", &[]);
    let port = target.port();
    let load = at(&port, "--rate 10 --duration 1h -v");
    let mut run = coordinate(&url, "mute", &load).start();
    run.wait_for_stderr(|line| line.contains("everyone connected"));
    mute.signal("STOP");
    let finished = run.wait();
    assert_eq!(finished.status, 7, "{finished:?}");
    let last = finished.stderr.lines().last().unwrap();
    let end = " has not been heard of for 10 s; the run was ended on all machines";
    assert!(
        last.starts_with("mqtt: agent mute on ") && last.ends_with(end),
        "{last}"
    );
    mute.kill();
}

#[test]
fn agents_give_a_run_up_whose_coordinator_is_gone() {
    let (control, target) = (MqttServe::start([""; 0]), MqttServe::start([""; 0]));
    let url = control.url();
    let mut lone = agent(&url, "lone", &[]);
    let port = target.port();
    let load = at(&port, "--duration 1h --rate 10 -v");
    let mut run = coordinate(&url, "1", &load).start();
    run.wait_for_stderr(|line| line.contains("everyone connected"));
    run.kill();
    lone.wait_for_stderr(|line| line.ends_with(" is given up: its coordinator is gone"));
    let found = report(&url, "1", &at(&port, "--count 100"), 0);
    assert_eq!(found["delivery"]["received"], 100);
    dismiss([lone]);
}

#[test]
fn too_few_agents_are_told_with_those_that_are_there() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let lone = agent(&url, "lone", &["--group", "lab"]);
    let run = |agents, more: &[&str], words: String| {
        let more = [&["--agents-timeout", "300ms"], more].concat();
        let end = "start one on each machine with `mqtt bench agent`, connected to this broker\n";
        let words = format!("mqtt: {words}; {end}");
        coordinate(&url, agents, &more)
            .status(1)
            .stderr(words)
            .run();
    };
    let at = format!("at {url} under mqtt-bench");
    run(
        "2",
        &[],
        format!("of 2 agents 1 answered within 300 ms {at}: free are lone"),
    );
    run(
        "lone,b",
        &[],
        format!("no answer within 300 ms {at} from the agents b: free are lone"),
    );
    run(
        "1",
        &["--agents-group", "field"],
        format!(
            "of 1 agents of group field 0 answered within 300 ms {at}: lone is of another group"
        ),
    );
    run(
        "1",
        &["--control-topic", "elsewhere"],
        format!("of 1 agents 0 answered within 300 ms at {url} under elsewhere"),
    );
    // An agent of a later release.
    let card = "5 1/1\n{\"agent\":\"here\",\"protocol\":9,\"version\":\"7.0.0\",\"what\":1}";
    Mqtt::new([
        "pub",
        "--url",
        &url,
        "-r",
        "-t",
        "mqtt-bench/agents/new",
        "-m",
        card,
    ])
    .run();
    let version = env!("CARGO_PKG_VERSION");
    let foreign = format!(
        "new speaks version 9 of the control protocol (mqtt 7.0.0), this program version 3 (mqtt {version}): use the same release"
    );
    run(
        "2",
        &[],
        format!("of 2 agents 1 answered within 300 ms {at}: free are lone; {foreign}"),
    );
    coordinate(&url, "lone,new", &[])
        .status(1)
        .stderr(format!("mqtt: agent {foreign}\n"))
        .run();
    dismiss([lone]);
}

#[test]
fn what_an_agent_does_not_do_it_refuses_in_words() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let careful = agent(&url, "careful", &["--only", "broker.example,10.0.0.1"]);
    coordinate(&url, "careful", &["-h", "127.0.0.1"])
        .status(5)
        .stderr("mqtt: agent careful: this agent puts no load on \"127.0.0.1\", only on broker.example, 10.0.0.1 (--only)\n")
        .run();
    // What a coordinator that is none of ours might say.
    let prepare = |protocol: u8, plan: &str| {
        let target = json!({"brokers": ["mqtt://broker.example"], "version": "5", "keep_alive": 60, "connect_timeout_ms": 100});
        let place = json!({"machine": 0, "machines": 1, "spread": "together"});
        json!({
            "run": "00000001", "order": "prepare", "protocol": protocol, "coordinator": "x", "plan": plan, "place": place,
            "target": target,
        })
    };
    let version = env!("CARGO_PKG_VERSION");
    for (id, order, words) in [
        (
            1,
            prepare(3, "clients = 1\nstop = { count = 1 }"),
            "the plan is refused: line 1: unknown field `clients`".to_owned(),
        ),
        (
            2,
            prepare(
                3,
                "run = \"00000001\"\nstop = { count = 1 }\n[[publish]]\ntopic = \"a\"\nsize = 3",
            ),
            "the plan is refused: ".to_owned(),
        ),
        (
            5,
            prepare(
                3,
                "run = \"00000001\"\nstop = { count = 1 }\n[[publish]]\ntopic = \"a\"\npayload = { file = \"/etc/passwd\" }",
            ),
            "the plan is refused: it names files, and an agent reads none".to_owned(),
        ),
        (
            6,
            prepare(
                3,
                "run = \"00000001\"\nstop = { count = 1 }\n[[publish]]\ntopic = \"a\"\npayload = { text = \"{{env HOME}}\", template = true }",
            ),
            "the payload: {{env HOME}}: the variable HOME is not set".to_owned(),
        ),
        (
            3,
            prepare(9, ""),
            format!(
                "the coordinator speaks version 9 of the control protocol, this agent version 3 (mqtt {version}); use the same release"
            ),
        ),
        (
            4,
            json!({"run": "00000001", "order": "close"}),
            "agent careful knows nothing of run 00000001".to_owned(),
        ),
    ] {
        let parcel = format!("{id} 1/1\n{order}");
        let ask = [
            "req",
            "--url",
            &url,
            "-t",
            "mqtt-bench/to/careful",
            "-e",
            "mqtt-bench/from/00000001/careful",
            "-m",
            &parcel,
        ];
        let answer = Mqtt::new(ask).stdout_any().run().stdout_text();
        let (_, answer) = answer.split_once('\n').unwrap();
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(answer["answer"], "failed");
        let found = answer["words"].as_str().unwrap();
        assert!(found.starts_with(&words), "{found}");
    }
    // What makes no sense at all does no harm.
    for (topic, words) in [
        ("to/careful", "dance"),
        ("to/careful", "7 1/1\n{}"),
        ("call", "8 1/1\n[]"),
    ] {
        Mqtt::new([
            "pub",
            "--url",
            &url,
            "-t",
            &format!("mqtt-bench/{topic}"),
            "-m",
            words,
        ])
        .run();
    }
    let target = MqttServe::start([""; 0]);
    let port = target.port();
    let finished = dismiss([careful]).swap_remove(0);
    for words in [
        "mqtt: run 00000001: the plan is refused: ",
        "mqtt: on mqtt-bench/to/careful came no parcel: it does not begin with ID PART/PARTS\n",
        "mqtt: on mqtt-bench/to/careful came what is no order: missing field `run`",
    ] {
        assert!(
            finished.stderr.contains(words),
            "{words:?} is not in\n{}",
            finished.stderr
        );
    }
    // A run that cannot connect has the status of that.
    let plain = agent(&url, "plain", &[]);
    drop(target);
    coordinate(&url, "plain", &at(&port, ""))
        .status(3)
        .stderr_like(|text| {
            text.starts_with("mqtt: agent plain: ") && text.contains("cannot connect to")
        })
        .run();
    dismiss([plain]);
}

#[test]
fn what_makes_no_sense_with_agents_is_a_usage_error() {
    let control = MqttServe::start([""; 0]);
    let url = control.url();
    let agents = [agent(&url, "a", &[]), agent(&url, "b", &[])];
    for (arguments, words) in [
        (&["--agents", "0"][..], "it takes at least one agent"),
        (
            &["--agents", "a,b/c"],
            "a name has none of / + # and the comma",
        ),
        (&["--agents", "a,a"], "a is named twice"),
        (
            &["--control", "mqtt://h"],
            "required arguments were not provided",
        ),
        (&["--agents", "2", "--serve"], "cannot be used with"),
        (
            &["--agents", "2", "--calibrate"],
            "run `mqtt bench calibrate` on the machine of each agent",
        ),
        (&["--agents", "2", "--control", "h"], "--control: no scheme"),
        (
            &["--agents", "2", "--control-topic", "a/#"],
            "it is a topic, without + and #",
        ),
        (
            &["--agents", "2", "-A", "127.0.0.1"],
            "--bind is of this machine, and has no place with --agents",
        ),
        (
            &[
                "--agents",
                "a,b",
                "--control",
                &url,
                "--publishers",
                "1",
                "--subscribers",
                "1",
            ],
            "agent b has nothing to do: 1 publishers, 1 subscribers and 0 other clients on 2 machines; use fewer agents, more \
             clients, or another --spread",
        ),
    ] {
        let words = words.to_owned();
        Mqtt::new(["bench"].iter().chain(arguments))
            .status(2)
            .stderr_like(move |text| text.contains(&words))
            .run();
    }
    dismiss(agents);
}
