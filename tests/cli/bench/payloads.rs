//! What is sent, and how it is known again: sizes, texts, files, lines, templates, under each form of the header.

use super::scripted::{Deed, Scripted};
use super::{bench, is_valid, report};
use crate::harness::Mqtt;
use crate::servers::MqttServe;

/// One publisher and one subscriber at a scripted broker, for so many messages.
fn line<'a>(port: &'a str, count: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let pair = [
        "-h",
        "127.0.0.1",
        "-p",
        port,
        "--publishers",
        "1",
        "--subscribers",
        "1",
    ];
    [&pair[..], &["--count", count], more].concat()
}

#[test]
fn changed_and_missing_bytes_are_found_under_every_header() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines");
    std::fs::write(&lines, "21.5\n22.0 degrees\n").unwrap();
    let lines = lines.to_str().unwrap();
    for more in [
        &["--size", "100"][..],
        &["--size", "24"],
        &["--size", "100", "--header", "compact"],
        &["--size", "uniform:40..4k", "-q", "2"],
        &["--size", "100", "--header", "property", "-V", "5"],
        &["--size", "10", "--header", "property", "-V", "5"],
        &["-m", "hello", "-V", "5"],
        &["-m", "hello", "--header", "payload"],
        &["-m", "hello", "--header", "compact"],
        &["--payload-lines", lines, "-V", "5"],
        &[
            "-m",
            "{{uuid}} {{count}}",
            "--template",
            "-V",
            "5",
            "-q",
            "0",
        ],
    ] {
        let broker = Scripted::start(|sequence| match sequence {
            5 => Deed::Corrupt,
            9 => Deed::Shorten,
            12 => Deed::Lose,
            15 => Deed::Double,
            _ => Deed::Deliver,
        });
        let qos_0 = more.ends_with(&["0"]);
        let found = report(&line(&broker.port, "20", more), 8);
        let delivery = &found["delivery"];
        let lost = |acknowledged: bool| u64::from(acknowledged != qos_0);
        assert_eq!(delivery["corrupted"], 2, "{more:?} {found:#}");
        assert_eq!(delivery["received"], 19, "{more:?}");
        assert_eq!(delivery["lost_acknowledged"], lost(true), "{more:?}");
        assert_eq!(delivery["lost_unacknowledged"], lost(false), "{more:?}");
        assert_eq!(delivery["duplicates"], 1, "{more:?}");
        assert_eq!(delivery["foreign"], 0, "{more:?}");
        assert_eq!(found["latency_us"]["service"]["samples"], 19, "{more:?}");
    }
}

#[test]
fn a_payload_that_is_given_is_what_the_broker_sees() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, other) = (file("one", "whole\nfile\n"), file("other", "x"));
    let lines = file("lines", "first\r\n\nlast");
    for (more, expected) in [
        (&["-m", "hello"][..], &["hello", "hello", "hello", "hello"]),
        (&["-m", "a", "--payload", "b"], &["a", "b", "a", "b"]),
        (
            &["--payload-file", &one, "--payload-file", &other],
            &["whole\nfile\n", "x", "whole\nfile\n", "x"],
        ),
        (
            &["--payload-lines", &lines],
            &["first", "", "last", "first"],
        ),
        (
            &["-m", "n={{count}} {{rand 7 7}}", "--template"],
            &["n=1 7", "n=2 7", "n=3 7", "n=4 7"],
        ),
    ] {
        let broker = Scripted::start(|_| Deed::Deliver);
        let more = [more, &["-V", "5"]].concat();
        bench(line(&broker.port, "4", &more)).stdout_any().run();
        assert_eq!(broker.texts(), expected, "{more:?}");
        // Before the text, where it has to be there, with another magic number than filler has.
        let broker = Scripted::start(|_| Deed::Deliver);
        let more = [&more[..more.len() - 2], &["--header", "payload"]].concat();
        bench(line(&broker.port, "4", &more)).stdout_any().run();
        for (publish, text) in broker.published().iter().zip(expected) {
            assert_eq!(publish.payload[0], 0xBB);
            assert_eq!(&publish.payload[32..], text.as_bytes());
        }
    }
}

#[test]
fn sizes_and_texts_that_are_drawn_follow_from_the_run() {
    let sizes = |run: &str| -> Vec<usize> {
        let broker = Scripted::start(|_| Deed::Deliver);
        let more = ["--size", "50:50%,300:50%", "--run", run];
        bench(line(&broker.port, "60", &more)).stdout_any().run();
        let published = broker.published();
        published
            .iter()
            .map(|publish| publish.payload.len())
            .collect()
    };
    let first = sizes("c0ffee00");
    assert!(
        first.iter().all(|size| [50, 300].contains(size)),
        "{first:?}"
    );
    assert!(first.contains(&50) && first.contains(&300));
    assert_eq!(sizes("c0ffee00"), first);
    assert_ne!(sizes("c0ffee01"), first);
    let broker = Scripted::start(|_| Deed::Deliver);
    let more = ["-m", "a", "-m", "b", "--payload-order", "random", "-V", "5"];
    bench(line(&broker.port, "60", &more)).stdout_any().run();
    let texts = broker.texts().concat();
    assert!(
        texts.contains("aa") && texts.contains("bb") && texts.contains("ba"),
        "{texts}"
    );
}

#[test]
fn without_a_header_messages_are_counted_and_the_report_says_so() {
    let serve = MqttServe::start::<&str>([]);
    let url = serve.url();
    let arguments = [
        "--publishers",
        "2",
        "--subscribers",
        "2",
        "--count",
        "100",
        "--header",
        "none",
        "-m",
        "x",
        "-L",
        &url,
    ];
    let found = report(&arguments, 0);
    assert_eq!(found["messages"]["arrived"], 100, "{found:#}");
    assert_eq!(found["delivery"]["expected"], 0);
    assert_eq!(found["delivery"]["foreign"], 0);
    assert!(found["latency_us"]["service"].is_null());
    assert!(is_valid(&found), "{found:#}");
    let slo = ["--slo", "loss=0"];
    let finished = bench(arguments.into_iter().chain(slo))
        .status(8)
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    for words in [
        "messages     100 arrived\n",
        "messages without measurement header are counted, and neither timed nor missed\n",
        "OBJECTIVE MISSED  loss=0: messages without measurement header are only counted\n",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(!text.contains("DELIVERY CHECK"), "{text}");
}

#[test]
fn groups_with_and_without_header_can_be_heard_by_the_same_subscriber() {
    let serve = MqttServe::start::<&str>([]);
    let plan = "
        stop = { count = 200 }
        [[publish]]
        topic = 'a/%i'
        header = 'none'
        payload = 'plain'
        rate = 1000
        [[publish]]
        topic = 'a/b'
        header = 'property'
        payload = { text = ['one', 'two {{count}}'], template = true, order = 'random' }
        rate = 1000
        [[subscribe]]
        filter = 'a/+'
    ";
    let arguments = ["--plan", "-", "--json", "-V", "5", "-L", &serve.url()];
    let found = super::json(&bench(arguments).stdin(plan).stdout_any().run());
    assert_eq!(found["messages"]["arrived"], 200, "{found:#}");
    assert_eq!(found["delivery"]["expected"], 100);
    assert_eq!(found["delivery"]["received"], 100);
    assert_eq!(found["delivery"]["foreign"], 0);
    assert_eq!(found["delivery"]["corrupted"], 0);
}

#[test]
fn answers_carry_the_header_back_in_a_property() {
    let serve = MqttServe::start::<&str>([]);
    let arguments = [
        "req",
        "--publishers",
        "2",
        "--count",
        "50",
        "-m",
        "ask",
        "-V",
        "5",
        "-L",
        &serve.url(),
    ];
    let found = report(&arguments, 0);
    assert_eq!(found["delivery"]["received"], 50, "{found:#}");
    assert_eq!(found["delivery"]["corrupted"], 0);
    assert_eq!(found["latency_us"]["service"]["samples"], 50);
}

#[test]
fn what_cannot_be_sent_or_measured_is_said_with_what_to_do() {
    for (more, status, words) in [
        (
            &["-m", "x"][..],
            2,
            "mqtt: the measurement header of these messages is a user property, so that their payload stays as it is, and \
             MQTT 3.1.1 has none: run with -V 5, or put the header in front of the payload (--header payload), or do without \
             (--header none), which measures rates only\n",
        ),
        (
            &["--size", "64..128"],
            2,
            "is no size; write bytes, for example 64, 4k or 1M, or uniform:64..4k",
        ),
        (
            &["--size", "uniform:4..128"],
            2,
            "--size must be at least 16: the payload carries the measurement header",
        ),
        (
            &["--size", "20", "--rate", "poisson:5"],
            2,
            "--size must be at least 32 where arrivals are random",
        ),
        (
            &["--header", "compact", "--rate", "poisson:5"],
            2,
            "--header must not be compact where arrivals are random: it has no room for the due time",
        ),
        (&["--size", "64", "-m", "x"], 2, "cannot be used with"),
        (
            &["--template"],
            2,
            "--template needs a payload to fill in: add --payload,",
        ),
        (
            &["-m", "{{counter}}", "--template", "-V", "5"],
            2,
            "the payload: {{counter}} is not known; there are {{count}}, ",
        ),
        (
            &["--payload-file", "/nonexistent/file", "-V", "5"],
            1,
            "could not read the payload /nonexistent/file: ",
        ),
        (
            &["--payload-lines", "/dev/null", "-V", "5"],
            2,
            "/dev/null: there is nothing to send",
        ),
        (
            &["req", "--header", "none"],
            2,
            "--header must not be none where answers are expected",
        ),
        (
            &["conn", "--header", "none"],
            2,
            "--header has no meaning in `mqtt bench conn`",
        ),
        (
            &["--run", "xyz"],
            2,
            "\"xyz\" is no run: eight hexadecimal digits",
        ),
    ] {
        let arguments = ["bench"]
            .iter()
            .chain(more)
            .chain(&["-h", "127.0.0.1", "-p", "1"]);
        Mqtt::new(arguments)
            .status(status)
            .stderr_contains(words)
            .run();
    }
}
