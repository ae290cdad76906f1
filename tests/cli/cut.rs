//! Connections that are cut after any number of bytes: nothing hangs, is lost or doubled.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::clients::{brokers, publish, subscribe, subscribed};
use crate::harness::{Mqtt, eventually};

/// Runs beside each other.
const WORKERS: usize = 4;

/// What a client does meanwhile.
#[derive(Debug, Clone, Copy)]
enum Work {
    Publish,
    PublishFromSpool,
    Subscribe,
}

/// The first connection of a client ends when so many bytes have passed in one direction.
#[derive(Debug, Clone, Copy)]
struct Cut {
    is_to_broker: bool,
    after: usize,
}

/// A way to a broker on which every connection stays whole but the next after [`Way::cut_next`].
struct Way {
    url: String,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Way {
    fn new(port: u16) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("mqtt://{}", listener.local_addr().unwrap());
        let cut: Arc<Mutex<Option<Cut>>> = Arc::default();
        let next = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(broker) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let cut = next.lock().unwrap().take();
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
        Way { url, cut }
    }

    fn cut_next(&self, cut: Cut) {
        *self.cut.lock().unwrap() = Some(cut);
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
    way.cut_next(cut);
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
    way.cut_next(cut);
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
