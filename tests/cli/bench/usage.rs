//! Wrong command lines.

use crate::harness::Mqtt;

#[test]
fn a_wrong_command_line_is_status_2() {
    for (arguments, words) in [
        (&["--size", "15"][..], "--size must be at least 16"),
        (&["-t", "a/#"], "--topic must be a topic to publish to"),
        (&["-t", "a/%x"], "there are %i"),
        (&["--rate", "fast"], "is no rate"),
        (&["--publishers", "0"], "--publishers must be at least 1"),
        (
            &["conn", "--size", "64"],
            "--size has no meaning in `mqtt bench conn`",
        ),
        (
            &["pub", "--filter", "a"],
            "--filter has no meaning in `mqtt bench pub`",
        ),
        (&["idle", "--clients", "0"], "--clients must be at least 1"),
        (&["idle", "--duration", "0s"], "--duration must not be 0"),
        (&["sub"], "needs a topic filter"),
        (
            &["sub", "-t", "a/#/b"],
            "--topic must be a topic filter, which \"a/#/b\" is not",
        ),
        (
            &["sub", "-t", "a", "--serve"],
            "nobody else knows the broker",
        ),
        (&["--serve", "-p", "1883"], "cannot be used with"),
        (&["--count", "5", "--duration", "5s"], "cannot be used with"),
        (
            &["pubsub", "--json", "saved.json"],
            "error: unexpected argument 'saved.json' found\n",
        ),
        (
            &["pubsub", "conn"],
            "error: unexpected argument 'conn' found\n",
        ),
        (
            &["pubsub", "report"],
            "'report' cannot be used with '[SCENARIO]'",
        ),
        (&["--slo", "p98<1ms"], "\"p98\" is not measured"),
        (
            &["pubsub", "--json=-"],
            "--json: stdout has the report; --json alone prints JSON there",
        ),
        (
            &["pubsub", "--csv", "-"],
            "--csv: stdout has the report; name a file",
        ),
        (
            &["--json=/nowhere/a", "--html=/nowhere/a"],
            "--json and --html name the same file, /nowhere/a",
        ),
        (
            &["pubsub", "--hlog=/nowhere/a", "--csv=/nowhere/a"],
            "--hlog and --csv name the same file, /nowhere/a",
        ),
        (
            &["report", "/nowhere/b", "--html=-"],
            "--html: stdout has the report; name a file",
        ),
        (&["--slo", "p99<1"], "a latency is compared with a time"),
    ] {
        Mqtt::new([&["bench"], arguments].concat())
            .status(2)
            .stderr_contains(words)
            .run();
    }
}
