//! Plans: printed, read, run.

use super::{bench, report};
use crate::harness::Mqtt;
use crate::servers::MqttServe;

#[test]
fn the_printed_plan_is_the_run_of_its_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    let path = path.to_str().unwrap();
    for line in [
        "--publishers 2 --subscribers 3 --count 40 --rate 2k -q 2 --size 100 --window 5",
        "--publishers 4 --subscribers 2 --count 40 --rate poisson:500/client -t a/%i/%s --filter a/%i/+",
        "pub --publishers 3 --duration 200ms --warmup 100ms --rate burst:10:50ms -q 0",
        "sub --subscribers 2 -t others/# --duration 100ms --warmup 0",
        "conn --clients 5 --rate ramp:50..500:100ms",
        "idle -c 3 --duration 100ms",
        "--publishers 2 --subscribers 2 --count 40 --size uniform:16..300 --header compact --rate 2k",
        "--publishers 2 --subscribers 2 --count 40 --payload a{{count}} --payload b --template --payload-order random --header payload",
        "--publishers 2 --subscribers 2 --count 40 --payload hello --header none",
    ] {
        let words = ["bench", "--print-plan"];
        let words = words.into_iter().chain(line.split(' '));
        let printed = Mqtt::new(words).stdout_any().run().stdout_text();
        std::fs::write(path, &printed).unwrap();
        let again = Mqtt::new(["bench", "--plan", path, "--print-plan"]);
        again.stdout(printed.clone()).run();
        let serve = MqttServe::start::<&str>([]);
        let found = report(&["--plan", path, "-L", &serve.url()], 0);
        let run = found["plan"]["run"].as_str().unwrap();
        assert!(printed.contains(run), "{printed}\n{found:#}");
        let of_command_line = report(
            &line
                .split(' ')
                .chain(["-L", &serve.url()])
                .collect::<Vec<_>>(),
            0,
        );
        let plan = |report: &serde_json::Value| {
            let run = report["plan"]["run"].as_str().unwrap();
            report["plan"].to_string().replace(run, "RUN")
        };
        assert_eq!(plan(&found), plan(&of_command_line));
        assert_eq!(
            found["delivery"]["expected"]
                .as_u64()
                .filter(|_| line.contains("count")),
            of_command_line["delivery"]["received"]
                .as_u64()
                .filter(|_| line.contains("count")),
        );
    }
}

#[test]
fn groups_with_topics_of_their_own_are_followed_beside_each_other() {
    let serve = MqttServe::start::<&str>([]);
    let plan = "
        stop = { count = 300 }
        [[publish]]
        clients = 2
        topic = ['mix/%i/a', 'mix/%i/b', 'mix/%i/%r{1..9}']
        qos = 1
        rate = '500/client'
        [[publish]]
        topic = 'other/%%'
        qos = 2
        size = 1000
        rate = 300
        [[subscribe]]
        filter = 'mix/#'
        [[subscribe]]
        clients = 2
        filter = 'mix/+/b'
        qos = 2
        [[subscribe]]
        filter = 'other/%%'
        qos = 0
        [[connect]]
        clients = 3
    ";
    let finished = bench(["--plan", "-", "--json", "-L", &serve.url()])
        .stdin(plan)
        .stdout_any()
        .run();
    let found = super::json(&finished);
    // Each publisher has 100 messages, 33 of them to b: 200 + 2 * 2 * 33 + 100.
    assert_eq!(found["delivery"]["expected"], 432, "{found:#}");
    assert_eq!(found["delivery"]["received"], 432);
    assert_eq!(found["check"]["passed"], true);
    assert_eq!(found["connections"]["made"], 10);
    assert_eq!(found["rate_per_s"]["offered"], 1300.0);
}

#[test]
fn what_is_wrong_in_a_plan_is_said_with_its_line() {
    for (plan, words) in [
        (
            "stop = { count = 1 }\nspeed = 2\n",
            "--plan -: line 2: unknown field `speed`",
        ),
        ("stop = { count = 1 }\n", "--plan -: plan has no clients"),
        (
            "stop = { count = 1 }\n[[publish]]\ntopic = 'a'\nsize = 3\n",
            "--plan -: publish.size must be at least 16",
        ),
        (
            "stop = { count = 1 }\n[[publish]]\ntopic = 'a'\n[[publish]]\ntopic = 'a'\nsize = 3\n",
            "--plan -: [[publish]] number 2: size must be at least 16",
        ),
        (
            "stop = { count = 1 }\n[[publish]]\ntopic = 'a'\n[[subscribe]]\nfilter = 'a'\n[[subscribe]]\nfilter = 'a/#/b'\n",
            "--plan -: [[subscribe]] number 2: filter must be a topic filter, which \"a/#/b\" is not",
        ),
        (
            "stop = { count = 1 }\n[[publish]]\ntopic = 'a/%s'\n[[subscribe]]\nfilter = 'a/5'\n",
            "--plan -: the filter a/5 asks for some of the messages to a/...",
        ),
    ] {
        Mqtt::new(["bench", "--plan", "-"])
            .stdin(plan)
            .status(1)
            .stderr_contains(words)
            .run();
    }
    Mqtt::new(["bench", "--plan", "/nonexistent/plan.toml"])
        .status(1)
        .stderr_contains("could not read --plan /nonexistent/plan.toml: ")
        .run();
    Mqtt::new(["bench", "--plan", "-", "--size", "64"])
        .status(2)
        .stderr_contains("cannot be used with")
        .run();
}
