//! Connections that are cut after any number of bytes: nothing hangs, is lost or doubled.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::clients::{brokers, publish, subscribe, subscribed};

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
        let port = broker.url.rsplit(':').next().unwrap().parse().unwrap();
        // More than each of them sends.
        let cuts = (first..=120).step_by(2).flat_map(|after| {
            let back = (after <= 80).then_some(Cut {
                is_to_broker: false,
                after,
            });
            let there = Cut {
                is_to_broker: true,
                after,
            };
            back.into_iter().chain([there])
        });
        let cases: Vec<(Work, Cut)> = cuts
            .flat_map(|cut| {
                let works = [Work::Publish, Work::PublishFromSpool, Work::Subscribe];
                works.map(|work| (work, cut))
            })
            .collect();
        let mut subscriber = subscribed(&broker.url, &["-t", "cut/#", "-q", "2", "-v"]);
        let (url, next) = (&*broker.url, AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    let way = Way::new(port);
                    while let Some((work, cut)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        play(url, version, &way, *work, *cut);
                    }
                });
            }
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
