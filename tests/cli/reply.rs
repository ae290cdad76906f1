//! `mqtt reply`: a device in one line, asked by `mqtt req` and by mosquitto_rr.

use crate::clients::{brokers, publish, subscribe};
use crate::harness::{Mqtt, Running, eventually};
use crate::servers::MqttServe;

/// `mqtt reply`, running and known to answer.
#[track_caller]
fn replier(url: &str, arguments: &[&str]) -> Running {
    let mut running = Mqtt::new(["reply", "-L", url, "-t", "ping"].iter().chain(arguments)).start();
    eventually("it answers", || {
        assert!(running.is_running(), "{}", running.stderr());
        let asked = Mqtt::new([
            "req", "-L", url, "-t", "ping", "-m", "x", "-q", "1", "-W", "5",
        ])
        .stdout_any()
        .stderr_any()
        .start()
        .wait();
        // Before it has subscribed nobody is there, which the broker says.
        (asked.status == 0).then_some(())
    });
    running
}

fn ask(url: &str, topic: &str, payload: &str) -> Mqtt {
    Mqtt::new([
        "req", "-L", url, "-t", topic, "-m", payload, "-q", "1", "-W", "30",
    ])
}

#[test]
fn a_request_is_answered_on_its_response_topic_with_its_correlation_data() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    for (source, expected) in [
        (&["--echo"][..], "what?\n"),
        (&["-m", "42"], "42\n"),
        (
            &["-F", "{\"topic\":\"%t\",\"asked\":\"%p\"}"],
            "{\"topic\":\"dev/7\",\"asked\":\"what?\"}\n",
        ),
        (
            &[
                "--exec",
                "sh",
                "-c",
                "tr a-z A-Z; printf \" on $MQTT_TOPIC\"",
            ],
            "WHAT? on dev/7\n",
        ),
    ] {
        let _running = replier(&url, &[&["-t", "dev/+", "-q", "1"], source].concat());
        ask(&url, "dev/7", "what?").stdout(expected).run();
    }
}

#[test]
fn mosquitto_rr_gets_its_reply_too() {
    for broker in brokers() {
        let port = broker.url.rsplit_once(':').unwrap().1.to_owned();
        let serve = [
            "reply",
            "-L",
            &broker.url,
            "-t",
            "dev/7",
            "--echo",
            "-q",
            "1",
        ];
        let mut running = Mqtt::new(serve).start();
        eventually("it answers", || {
            let arguments = [
                "-p", &port, "-t", "dev/7", "-e", "answers", "-m", "hello", "-W", "1", "-q", "1",
            ];
            let asked = Mqtt::program("mosquitto_rr", arguments).start().wait();
            (asked.stdout == b"hello\n").then_some(())
        });
        assert_eq!(running.stop("TERM").status, 0, "{}", broker.name);
    }
}

#[test]
fn before_mqtt_5_the_reply_goes_where_both_sides_expect_it() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    for (arguments, place) in [
        (&[][..], "dev/7/reply"),
        (&["-e", "answers/%t"], "answers/dev/7"),
    ] {
        let all = [
            &["reply", "-L", &url, "-V", "311", "-t", "dev/7", "--echo"],
            arguments,
        ]
        .concat();
        let _running = Mqtt::new(all).start();
        eventually("it answers", || {
            let asked = [
                "req", "-L", &url, "-V", "311", "-t", "dev/7", "-e", place, "-m", "hi", "-W",
                "500ms",
            ];
            let asked = Mqtt::new(asked).start().wait();
            (asked.stdout == b"hi\n").then_some(())
        });
    }
}

#[test]
fn a_reply_is_never_taken_for_a_request() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let mut running = replier(&url, &["-t", "dev/#", "-m", "ok"]);
    let mut watcher = subscribe(&url, &["-t", "dev/#", "-v", "-C", "2"]).start();
    eventually("it watches", || {
        publish(&url, &["-t", "dev/a", "-m", "hi"]).run();
        (!watcher.stdout().is_empty()).then_some(())
    });
    let line = running.wait_for_stderr(|line| line.contains("would be a request again"));
    assert_eq!(
        line,
        "mqtt: the request on dev/a names no response topic, and a reply on dev/a/reply would be a request again; see --response-topic"
    );
    // One that does name a place is answered there, even though it is among the requests.
    let place = ["req", "-L", &url, "-t", "dev/b", "-e", "dev/c", "-n"];
    Mqtt::new(place).stdout("ok\n").run();
    watcher.kill();
}

#[test]
fn a_share_of_the_requests_is_left_without_a_reply_and_each_is_reported() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let deaf = [
        "reply", "-L", &url, "-t", "dev/7", "--echo", "--fail", "100%", "-v", "-C", "1", "-q", "1",
    ];
    let mut running = Mqtt::new(deaf).start();
    eventually("it hears", || {
        let asked = [
            "req", "-L", &url, "-t", "dev/7", "-n", "-q", "1", "-W", "200ms",
        ];
        let asked = Mqtt::new(asked).start().wait();
        assert!(asked.status == 27 || asked.status == 5, "{asked:?}");
        (!running.is_running()).then_some(())
    });
    let finished = running.wait();
    assert_eq!(
        (finished.status, &*finished.stderr),
        (0, "mqtt: left the request on dev/7 unanswered\n")
    );
}

#[test]
fn a_delay_holds_up_each_reply_and_not_one_behind_the_other() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    // Twenty one behind the other would take longer than anyone waits here.
    let _running = replier(&url, &["-t", "slow", "--echo", "--delay", "1s..2s"]);
    let mut all: Vec<Running> = (0..20).map(|_| ask(&url, "slow", "x").start()).collect();
    for asking in &mut all {
        assert_eq!(asking.wait().stdout_text(), "x\n");
    }
    let never = [
        "reply", "-L", &url, "-t", "never", "--echo", "--delay", "1h", "-q", "1",
    ];
    let _never = Mqtt::new(never).start();
    eventually("it is there", || {
        let asked = [
            "req", "-L", &url, "-t", "never", "-n", "-q", "1", "-W", "300ms",
        ];
        let asked = Mqtt::new(asked).start().wait();
        // Until it has subscribed nobody is there, which the broker says.
        assert!(asked.status == 27 || asked.status == 5, "{asked:?}");
        (asked.status == 27).then_some(())
    });
}

#[test]
fn a_command_that_fails_leaves_its_request_unanswered() {
    let broker = MqttServe::start([""; 0]);
    let url = broker.url();
    let script = "read word; test $word != bad && echo $word";
    let mut running = replier(&url, &["-t", "dev/7", "--exec", "sh", "-c", script]);
    Mqtt::new(["req", "-L", &url, "-t", "dev/7", "-m", "bad", "-W", "500ms"])
        .stderr("mqtt: timed out after 500ms\n")
        .status(27)
        .run();
    running.wait_for_stderr(|line| {
        line == "mqtt: sh failed on topic dev/7: it ended with status 1; the request is left unanswered"
    });
    ask(&url, "dev/7", "good").stdout("good\n\n").run();
    Mqtt::new(["reply", "-t", "a"])
        .status(2)
        .stderr_contains("--echo")
        .run();
}
