//! `mqtt bench` and nothing else: a tour of the broker.

use super::scripted::{Deed, Scripted};
use super::{bench, json};
use crate::harness::Mqtt;
use crate::servers::{MqttServe, free_port};

#[test]
fn a_tour_has_a_line_for_each_stage_and_is_shown_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (saved, page) = (path("tour.json"), path("tour.html"));
    let file = format!("--json={saved}");
    let finished = bench(["--serve", &file, "--html", &page])
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    assert!(text.starts_with("mqtt://127.0.0.1:"), "{text}");
    assert!(text.contains("\nDELIVERY CHECK PASSED\n"), "{text}");
    let lines: Vec<Vec<&str>> = text
        .lines()
        .skip_while(|line| !line.starts_with("stage "))
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][..2], ["connections", "500"], "{text}");
    for (qos, line) in ["0", "1", "2"].into_iter().zip(&lines[1..]) {
        assert_eq!(line[..3], ["QoS", qos, "5,000"], "{text}");
        // Lost, doubled, out of order.
        assert_eq!(line[line.len() - 3..], ["0", "0", "0"], "{text}");
        assert_eq!(line.contains(&"-"), qos == "0", "{text}");
    }

    let again = Mqtt::new(["bench", "report", &saved]).stdout_any().run();
    assert_eq!(again.stdout_text(), text);
    let merged = Mqtt::new(["bench", "report", "--json", &saved, &saved]);
    let merged = json(&merged.stdout_any().run());
    assert_eq!(merged["schema"], 1);
    let runs = merged["runs"].as_array().unwrap();
    let scenarios: Vec<&str> = runs
        .iter()
        .map(|run| run["plan"]["scenario"].as_str().unwrap())
        .collect();
    assert_eq!(scenarios, ["conn", "pubsub", "pubsub", "pubsub"]);
    assert_eq!(runs[0]["connections"]["made"], 2000);
    assert_eq!(
        runs[3]["delivery"]["expected"],
        runs[3]["delivery"]["received"]
    );
    assert_eq!(runs[3]["parts"].as_array().unwrap().len(), 2);

    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("<h1>").count(), 4);
    assert!(page.contains("<title>A tour of mqtt://127.0.0.1:"));

    Mqtt::new(["bench", "report", &saved, "--slo", "loss=0"])
        .status(2)
        .stderr_contains("a tour has several loads")
        .run();
    Mqtt::new(["bench", "compare", &saved, &saved])
        .status(2)
        .stderr_contains("holds a tour, several loads in one")
        .run();
}

#[test]
fn a_tour_fails_when_one_of_its_stages_does() {
    // It acknowledges everything and forwards nothing.
    let broker = Scripted::start(|_| Deed::Lose);
    let finished = bench(["-h", "127.0.0.1", "-p", &broker.port])
        .status(8)
        .stdout_any()
        .run();
    let text = finished.stdout_text();
    assert!(text.contains("\nDELIVERY CHECK FAILED  QoS 1: "), "{text}");
    assert!(!text.contains("DELIVERY CHECK PASSED"), "{text}");
}

#[test]
fn where_nobody_listens_there_is_no_tour() {
    let port = free_port().to_string();
    bench(["-h", "127.0.0.1", "-p", &port])
        .status(3)
        .stderr_contains("cannot connect to mqtt://127.0.0.1:")
        .run();
}

#[test]
fn whoever_says_what_the_load_is_means_one_run() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    for option in ["--count=20", "--qos=0"] {
        let all = ["-h", "127.0.0.1", "-p", &port, "--json", option];
        let more = ["--duration", "200ms", "--warmup", "0s"];
        let more = more.iter().filter(|_| option == "--qos=0");
        let found = json(&bench(all.iter().chain(more).copied()).stdout_any().run());
        assert_eq!(found["plan"]["scenario"], "pubsub", "{option}");
    }
    for option in [&["--print-plan"][..], &["--print-plan", "--size", "20"]] {
        let printed = Mqtt::new(["bench"].iter().chain(option)).stdout_any().run();
        assert!(printed.stdout_text().contains("scenario = \"pubsub\""));
    }
}

#[test]
fn an_interrupted_tour_tells_what_there_was() {
    let serve = MqttServe::start::<&str>([]);
    let port = serve.port();
    let mut running = bench(["-h", "127.0.0.1", "-p", &port, "-v", "--json"]).start();
    running.wait_for_stderr(|line| line.contains("pubsub at QoS 0"));
    running.wait_for_stderr(|line| line.contains("delivered"));
    let finished = running.stop("INT");
    assert_eq!(finished.status, 130, "{}", finished.stderr);
    let runs = json(&finished)["runs"].as_array().unwrap().clone();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[1]["interrupted"], true);
}
