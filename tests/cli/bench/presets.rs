//! Loads that have a name.

use super::report;
use super::scripted::{Deed, Scripted};
use crate::harness::Mqtt;
use crate::servers::MqttServe;

#[test]
fn a_part_of_each_case_is_carried_out_and_everything_arrives() {
    let serve = MqttServe::start::<&str>([]);
    for (name, scale, publishers, subscribers) in [
        ("fanout-1-1K-1-1K", "1%", 1, 10),
        ("P2P-50k-50k-50k-50k", "1/5000", 10, 10),
        ("sharedsub-1K-5-1K-1K", "0.01", 10, 1),
    ] {
        let line = ["--preset", name, "--scale", scale, "--duration", "2s"];
        let found = report(&[&line[..], &["-L", &serve.url()]].concat(), 0);
        let plan = &found["plan"];
        assert_eq!(plan["publish"][0]["clients"], publishers, "{name}");
        assert_eq!(plan["subscribe"][0]["clients"], subscribers, "{name}");
        assert_eq!(found["check"]["passed"], true, "{name}");
        assert!(found["messages"]["sent"].as_u64() > Some(0), "{name}");
    }
}

#[test]
fn fewer_connections_take_as_long_as_all_of_them() {
    let line = "bench --preset conn-tcp-10K-100 --scale 0.01 --run 00000007 --print-plan";
    Mqtt::new(line.split(' '))
        .stdout(
            r#"scenario = "conn"
run = "00000007"
warmup = "0s"

[stop]
after = "30m"

[session]
keep_alive = 300

[[connect]]
clients = 100
rate = 1
"#,
        )
        .run();
}

#[test]
fn clients_of_a_preset_are_kept_alive_as_the_suite_says_unless_something_else_is_typed() {
    let broker = Scripted::start(|_| Deed::Deliver);
    let preset = "--preset conn-tcp-10K-100 --scale 0.0001 --duration 0s";
    for (line, seconds) in [
        (preset.to_owned(), 300),
        (format!("{preset} -k 20"), 20),
        ("conn -c 1".to_owned(), 60),
        ("conn -c 1 -k 0".to_owned(), 0),
    ] {
        let at = ["-h", "127.0.0.1", "-p", &broker.port];
        report(&line.split(' ').chain(at).collect::<Vec<_>>(), 0);
        let connect = broker.connects().pop().unwrap();
        assert_eq!(connect.keep_alive, seconds, "{line}");
    }
    let plan = "scenario = 'conn'\nsession = { keep_alive = 4 }\nstop = { after = '0s' }\n[[connect]]\nclients = 1\n";
    Mqtt::new(["bench", "--plan", "-"])
        .stdin(plan)
        .stderr_contains("keep_alive must be 0 or at least 5")
        .status(1)
        .run();
}

#[test]
fn what_a_preset_fixes_is_not_taken_beside_it() {
    for (line, words) in [
        ("--preset p2p", "[possible values: conn-tcp-10K-100, "),
        ("pub --preset p2p-1K-1K-1K-1K", "cannot be used with"),
        ("--preset p2p-1K-1K-1K-1K --rate 5", "cannot be used with"),
        ("--preset p2p-1K-1K-1K-1K --scale 0", "as 0.01, 1% or 1/100"),
        ("--scale 1%", "--preset <NAME>"),
        ("max --slo p99<1s --preset p2p-1K-1K-1K-1K", "or --preset"),
    ] {
        Mqtt::new(["bench"].into_iter().chain(line.split(' ')))
            .stderr_contains(words)
            .status(2)
            .run();
    }
}
