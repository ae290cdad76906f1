//! Connections that are cut after any number of bytes: nothing hangs, is lost or doubled.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::clients::{brokers, numbers, publish, subscribe, subscribed};
use crate::harness::{Mqtt, eventually};
use crate::servers::Mosquitto;
use crate::wire::listen;

/// Runs beside each other.
const WORKERS: usize = 4;

/// What a client does meanwhile.
#[derive(Debug, Clone, Copy)]
enum Work {
    Publish,
    PublishFromSpool,
    Subscribe,
}

/// A connection ends when so many bytes have passed in one direction.
#[derive(Debug, Clone, Copy)]
struct Cut {
    is_to_broker: bool,
    after: usize,
}

/// Which connections are cut.
#[derive(Debug, Clone, Copy, Default)]
enum Cuts {
    #[default]
    None,
    Next(Cut),
    Every(Cut),
}

/// A way to a broker on which every connection stays whole that [`Way::cut`] does not name.
struct Way {
    url: String,
    cuts: Arc<Mutex<Cuts>>,
}

impl Way {
    fn new(port: u16) -> Way {
        let (listener, url) = listen();
        let cuts: Arc<Mutex<Cuts>> = Arc::default();
        let asked = Arc::clone(&cuts);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(broker) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let cut = {
                    let mut cuts = asked.lock().unwrap();
                    match *cuts {
                        Cuts::None => None,
                        Cuts::Next(cut) => {
                            *cuts = Cuts::None;
                            Some(cut)
                        }
                        Cuts::Every(cut) => Some(cut),
                    }
                };
                let limit = |is_to_broker| {
                    let cut = cut.filter(|cut| cut.is_to_broker == is_to_broker);
                    cut.map_or(usize::MAX, |cut| cut.after)
                };
                let (to_broker, to_client) = (limit(true), limit(false));
                let (back, from) = (client.try_clone().unwrap(), broker.try_clone().unwrap());
                thread::spawn(move || pass(client, broker, to_broker));
                thread::spawn(move || pass(from, back, to_client));
            }
        });
        Way { url, cuts }
    }

    fn cut(&self, cuts: Cuts) {
        *self.cuts.lock().unwrap() = cuts;
    }
}

/// Copies so many bytes, then closes both sides with what is on its way.
fn pass(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut buffer = [0; 1024];
    while left > 0 {
        let piece = left.min(buffer.len());
        match from.read(&mut buffer[..piece]) {
            Ok(count @ 1..) if to.write_all(&buffer[..count]).is_ok() => left -= count,
            _ => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// After every other number of bytes, up to so many in each direction.
fn cuts(first: usize, there: usize, back: usize) -> Vec<Cut> {
    let cut = |is_to_broker| {
        move |after| Cut {
            is_to_broker,
            after,
        }
    };
    let there = (first..=there).step_by(2).map(cut(true));
    there
        .chain((first..=back).step_by(2).map(cut(false)))
        .collect()
}

/// Plays the cases, some of them beside each other, each worker on a way of its own to this broker.
fn in_turn<C: Sync>(broker: &str, cases: &[C], play: impl Fn(&Way, &C) + Sync) {
    let port = broker.rsplit(':').next().unwrap().parse().unwrap();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let way = Way::new(port);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    play(&way, case);
                }
            });
        }
    });
}

/// Two messages of QoS 2 in a session that is kept, over a connection that is cut once.
fn play(broker: &str, version: &str, way: &Way, work: Work, cut: Cut) {
    let direction = if cut.is_to_broker { "there" } else { "back" };
    let name = format!("{work:?}/{direction}/{}", cut.after);
    let topic = match work {
        Work::Subscribe => format!("from/{name}"),
        _ => format!("cut/{name}"),
    };
    let topic = ["-t", &topic, "-q", "2", "-V", version];
    let session = ["-c", "-i", &name];
    let again = ["--retry", "forever", "--retry-max-delay", "20ms"];
    let to_subscribe = [&topic[..], &session].concat();
    let folder = tempfile::tempdir().unwrap();
    let running = match work {
        Work::Publish => publish(&way.url, &[&topic[..], &session, &again, &["-l"]].concat()),
        Work::PublishFromSpool => {
            let spool = ["--spool", folder.path().to_str().unwrap(), "-l"];
            publish(&way.url, &[&topic[..], &again, &spool].concat())
        }
        Work::Subscribe => {
            subscribe(broker, &[&to_subscribe[..], &["-E"]].concat()).run();
            publish(broker, &[&topic[..], &["-l"]].concat())
                .stdin("1\n2\n")
                .run();
            subscribe(
                &way.url,
                &[&to_subscribe[..], &again, &["-C", "2"]].concat(),
            )
            .stdout("1\n2\n")
        }
    };
    way.cut(Cuts::Next(cut));
    running.stdin("1\n2\n").stderr_any().run();
}

#[test]
fn a_connection_may_end_after_any_byte() {
    let [mosquitto, serve] = brokers();
    // Between the two every number of bytes has its turn.
    for (broker, version, first) in [(mosquitto, "311", 1), (serve, "5", 2)] {
        // More than each of them sends.
        let cases: Vec<(Work, Cut)> = (cuts(first, 120, 80).into_iter())
            .flat_map(|cut| {
                let works = [Work::Publish, Work::PublishFromSpool, Work::Subscribe];
                works.map(|work| (work, cut))
            })
            .collect();
        let mut subscriber = subscribed(&broker.url, &["-t", "cut/#", "-q", "2", "-v"]);
        in_turn(&broker.url, &cases, |way, (work, cut)| {
            play(&broker.url, version, way, *work, *cut);
        });
        publish(&broker.url, &["-t", "cut/end", "-q", "2", "-m", ""]).run();
        subscriber.wait_for_stdout(|line| line.starts_with("cut/end"));
        let printed = String::from_utf8(subscriber.stdout()).unwrap();
        let mut received: Vec<&str> = (printed.lines())
            .filter(|line| line.ends_with(" 1") || line.ends_with(" 2"))
            .collect();
        received.sort_unstable();
        // Two of three publish, two messages each.
        let sent = cases.len() / 3 * 4;
        assert_eq!(received.len(), sent, "{}", broker.name);
        received.dedup();
        assert_eq!(received.len(), sent, "{}: each once", broker.name);
    }
}

/// A request over a connection that is cut once.
fn ask(version: &str, way: &Way, cut: Cut) {
    let Cut {
        is_to_broker,
        after,
    } = cut;
    let (qos, is_tried_again) = ((after / 2 % 3).to_string(), after / 2 % 2 == 0);
    let topic = format!("ask/{is_to_broker}-{after}");
    let place = format!("{topic}/reply");
    let request = ["req", "-L", &way.url, "-V", version, "-q", &qos, "-m", "x"];
    let request = [&request[..], &["-t", &topic, "-e", &place]].concat();
    let again: &[&str] = match is_tried_again {
        true => &["--retry", "forever", "--retry-max-delay", "20ms"],
        false => &[],
    };
    way.cut(Cuts::Next(cut));
    let finished = Mqtt::new(request.iter().chain(again)).start().wait();
    let words = finished.stderr.trim_end();
    let lost = "mqtt: the broker closed the connection; ";
    let never = format!(
        "mqtt: {}: the broker closed the connection before CONNACK; ",
        way.url
    );
    let is_right = match (finished.status, &*finished.stdout_text()) {
        // The cut came behind everything that counts, or not at the end.
        (0, "x\n") if words.is_empty() => true,
        (0, "x\n") => {
            is_tried_again
                && words.lines().count() == 1
                && (words.starts_with(lost) || words.starts_with(&never))
        }
        (7, "") => !is_tried_again && words == format!("{lost}there was no reply before"),
        (3, "") => !is_tried_again && words.lines().count() == 1 && words.starts_with(&never),
        _ => false,
    };
    assert!(is_right, "MQTT {version}, QoS {qos}, {cut:?}: {finished:?}");
}

#[test]
fn a_request_has_one_reply_or_says_why_it_has_none() {
    let [mosquitto, serve] = brokers();
    for (broker, version, first) in [(mosquitto, "311", 1), (serve, "5", 2)] {
        let at_broker = ["-L", &broker.url, "-V", version];
        let device = ["reply", "-t", "ask/+", "--echo", "-q", "2"];
        let _device = Mqtt::new(device.iter().chain(&at_broker)).start();
        eventually("it answers", || {
            let request = ["req", "-t", "ask/a", "-e", "ask/a/reply", "-n", "-W", "1"];
            let asked = Mqtt::new(request.iter().chain(&at_broker)).start().wait();
            (asked.status == 0).then_some(())
        });
        // More than each of them sends.
        let cuts = cuts(first, 170, 110);
        in_turn(&broker.url, &cuts, |way, cut| ask(version, way, *cut));
    }
}

/// So often that ten thousand lines are cut several times.
const OFTEN: Cut = Cut {
    is_to_broker: true,
    after: 60_000,
};

#[test]
fn a_stream_of_lines_survives_cut_connections_with_nothing_forgotten() {
    let broker = Mosquitto::start(["max_queued_messages 0", "max_inflight_messages 0"]);
    let count = 10_000;
    for qos in ["1", "2"] {
        let way = Way::new(broker.port);
        way.cut(Cuts::Every(OFTEN));
        let topic = format!("fragile/{qos}");
        let mut subscriber = subscribed(&broker.url(), &["-t", &topic, "-q", "2"]);
        publish(&way.url, &["-t", &topic, "-q", qos, "-l"])
            .stdin(numbers(count))
            .stderr_like(|text| text.matches("; trying again in ").count() >= 2)
            .run();
        publish(&broker.url(), &["-t", &topic, "-q", "2", "-m", "end"]).run();
        subscriber.wait_for_stdout(|line| line == "end");
        let printed = subscriber.stdout();
        let mut seen = vec![0_u32; count as usize + 1];
        for line in String::from_utf8_lossy(&printed).lines() {
            if let Ok(number) = line.parse::<usize>() {
                seen[number] += 1;
            }
        }
        let missing = seen[1..].iter().filter(|times| **times == 0).count();
        assert_eq!(missing, 0, "QoS {qos}");
    }
}

#[test]
fn a_kept_session_makes_qos_2_exactly_once_over_cut_connections() {
    for broker in brokers() {
        let port = broker.url.rsplit(':').next().unwrap().parse().unwrap();
        let way = Way::new(port);
        way.cut(Cuts::Every(OFTEN));
        let lines = numbers(10_000);
        for version in ["311", "5"] {
            let mut subscriber =
                subscribed(&broker.url, &["-t", version, "-q", "2", "-C", "10001"]);
            let session = ["-i", version, "-c", "-V", version];
            publish(
                &way.url,
                &[&["-t", version, "-q", "2", "-l"][..], &session].concat(),
            )
            .stdin(lines.clone())
            .stderr_like(|text| text.matches("; trying again in ").count() >= 2)
            .run();
            let printed = subscriber.wait().stdout_text();
            let mut received: Vec<&str> = printed.lines().skip(1).collect();
            assert_eq!(received.len(), 10_000, "{} {version}", broker.name);
            received.sort_unstable();
            received.dedup();
            assert_eq!(
                received.len(),
                10_000,
                "{} {version}: each line once",
                broker.name
            );
        }
    }
}
