//! `mqtt serve` and Debian's mosquitto under the same load, in turns, in one run.
//!
//! The load is raw sockets with many publishes per write, and owes nothing to the program's own codec: an instrument
//! that shares code with what it measures shares its mistakes. Every run has a fresh broker. A run publishes for some
//! seconds and then waits until everything has come out at the other end, so what a broker still holds in its queues
//! counts against its rate. mosquitto is set up so that it drops nothing (`max_queued_messages 0`) and waits for nothing
//! (`max_inflight_messages 2048`, `set_tcp_nodelay true`).
//!
//! `cargo bench --bench brokers -- [--rounds 5] [--seconds 2] [--batch 128] [WORD]`; WORD picks scenarios by name.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of payload.
const PAYLOAD: usize = 64;
/// Publishes in one write, unless `--batch` says otherwise.
const BATCH: usize = 128;
/// Publishes without their last acknowledgement, per publisher.
const WINDOW: usize = 1024;
/// A run whose count stands still for so long has lost the rest.
const STALLED: Duration = Duration::from_secs(5);

/// How each publisher publishes.
#[derive(Clone, Copy)]
struct Load {
    batch: usize,
    publishing: Duration,
}

#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    publishers: usize,
    subscribers: usize,
    qos: u8,
}

const SCENARIOS: [Scenario; 6] = [
    scenario("1 -> 1 QoS 0", 1, 1, 0),
    scenario("1 -> 1 QoS 1", 1, 1, 1),
    scenario("1 -> 1 QoS 2", 1, 1, 2),
    scenario("10 -> 10 QoS 0", 10, 10, 0),
    scenario("10 -> 10 QoS 1", 10, 10, 1),
    scenario("1 -> 100 QoS 0", 1, 100, 0),
];

const fn scenario(name: &'static str, publishers: usize, subscribers: usize, qos: u8) -> Scenario {
    Scenario {
        name,
        publishers,
        subscribers,
        qos,
    }
}

fn main() {
    let (mut rounds, mut seconds, mut batch, mut word) = (5, 2.0, BATCH, String::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--rounds" => rounds = arguments.next().unwrap().parse().unwrap(),
            "--seconds" => seconds = arguments.next().unwrap().parse().unwrap(),
            "--batch" => batch = arguments.next().unwrap().parse().unwrap(),
            other => word = other.to_owned(),
        }
    }
    let load = Load {
        batch,
        publishing: Duration::from_secs_f64(seconds),
    };
    println!(
        "{PAYLOAD} B, {batch} publishes a write, window {WINDOW}, {rounds} rounds of {seconds} s; medians (ours / mosquitto)\n"
    );
    println!(
        "{:<15} {:>21} {:>7} {:>9} {:>15} {:>15}",
        "", "messages/s", "ratio", "CPU ratio", "lost", "peak MiB"
    );
    for scenario in SCENARIOS
        .iter()
        .filter(|scenario| scenario.name.contains(&word))
    {
        let mut runs = Vec::new();
        for _ in 0..rounds {
            runs.push((run(scenario, ours, load), run(scenario, mosquitto, load)));
        }
        row(scenario, &runs);
    }
    let ceiling = without_a_broker(load);
    println!(
        "\nthe load by itself, 1 -> 1 QoS 0, no broker between: {:.0} k messages/s",
        ceiling.rate() / 1e3
    );
}

fn row(scenario: &Scenario, runs: &[(Run, Run)]) {
    let ours = |value: fn(&Run) -> f64| median(runs.iter().map(|(ours, _)| value(ours)));
    let theirs = |value: fn(&Run) -> f64| median(runs.iter().map(|(_, theirs)| value(theirs)));
    let ratio = |value: fn(&Run) -> f64| {
        median(
            runs.iter()
                .map(|(ours, theirs)| value(ours) / value(theirs)),
        )
    };
    let most = |pick: fn(&(Run, Run)) -> i64| runs.iter().map(pick).max().unwrap_or_default();
    println!(
        "{:<15} {:>9.0} k / {:>5.0} k {:>6.2}x {:>8.2}x {:>7} / {:>5} {:>7.1} / {:>5.1}",
        scenario.name,
        ours(Run::rate) / 1e3,
        theirs(Run::rate) / 1e3,
        ratio(Run::rate),
        ratio(Run::rate_per_cpu),
        most(|(ours, _)| ours.lost()),
        most(|(_, theirs)| theirs.lost()),
        ours(|run| run.peak as f64) / 1024.0,
        theirs(|run| run.peak as f64) / 1024.0,
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What one run found.
struct Run {
    expected: u64,
    received: u64,
    /// From the first publish to the last receipt.
    elapsed: Duration,
    /// CPU seconds of the broker.
    cpu: f64,
    /// Most memory the broker ever had, in KiB.
    peak: u64,
}

impl Run {
    fn rate(&self) -> f64 {
        self.received as f64 / self.elapsed.as_secs_f64()
    }

    fn rate_per_cpu(&self) -> f64 {
        self.received as f64 / self.cpu
    }

    /// Negative when there were duplicates.
    fn lost(&self) -> i64 {
        self.expected as i64 - self.received as i64
    }
}

// ---- the brokers

struct Broker {
    process: Child,
    port: u16,
    _configuration: Option<tempfile::TempDir>,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn ours() -> Broker {
    let port = free_port();
    let process = Command::new(env!("CARGO_BIN_EXE_mqtt"))
        .args(["serve", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Broker {
        process,
        port,
        _configuration: None,
    }
    .ready()
}

fn mosquitto() -> Broker {
    let port = free_port();
    let directory = tempfile::tempdir().unwrap();
    let file: PathBuf = directory.path().join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_type none\nsys_interval 0\n\
         max_queued_messages 0\nmax_inflight_messages 2048\nset_tcp_nodelay true\n"
    );
    std::fs::write(&file, text).unwrap();
    let process = Command::new("/usr/sbin/mosquitto")
        .arg("-c")
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()
        .expect("mosquitto is installed by tests/setup");
    Broker {
        process,
        port,
        _configuration: Some(directory),
    }
    .ready()
}

impl Broker {
    fn ready(self) -> Broker {
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "the broker does not accept connections"
            );
            // Only another attempt tells whether a foreign process listens; 2 ms are nothing beside its start.
            std::thread::sleep(Duration::from_millis(2));
        }
        self
    }

    /// User and system time so far, in seconds; the kernel counts in hundredths.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }

    fn peak(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

// ---- the load: subscribers on one thread, publishers on another

/// What the subscribers have seen.
struct Tally {
    received: AtomicU64,
    last: Mutex<Instant>,
}

impl Tally {
    fn new() -> Arc<Tally> {
        Arc::new(Tally {
            received: AtomicU64::new(0),
            last: Mutex::new(Instant::now()),
        })
    }

    fn add(&self, count: u64) {
        self.received.fetch_add(count, Ordering::Relaxed);
        *self.last.lock().unwrap() = Instant::now();
    }

    /// Waits until so many have come or nothing comes any more; the count and the moment of the last.
    fn settle(&self, expected: u64) -> (u64, Instant) {
        loop {
            let received = self.received.load(Ordering::Relaxed);
            let last = *self.last.lock().unwrap();
            if received >= expected || last.elapsed() > STALLED {
                return (received, last);
            }
            // Whoever counts must not also wake somebody for each message: that would be measured. The end is the
            // moment of the last message, not that of noticing it, so how often is looked makes no difference.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn run(scenario: &Scenario, start: fn() -> Broker, load: Load) -> Run {
    let broker = start();
    let Scenario {
        publishers,
        subscribers,
        qos,
        ..
    } = *scenario;
    let port = broker.port;
    let tally = Tally::new();
    let (subscribed, all_subscribed) = std::sync::mpsc::channel();
    let counting = Arc::clone(&tally);
    std::thread::spawn(move || {
        on_this_thread(async move {
            let mut streams = Vec::new();
            for number in 0..subscribers {
                let mut stream = connect(port, &format!("subscriber-{number}")).await;
                subscribe(&mut stream, &topic(number % publishers), qos).await;
                streams.push(stream);
            }
            let tasks: Vec<_> = streams
                .into_iter()
                .map(|stream| tokio::spawn(consume(stream, Arc::clone(&counting))))
                .collect();
            subscribed.send(()).unwrap();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    all_subscribed.recv().unwrap();

    let cpu = broker.cpu();
    let begin = Instant::now();
    let published = on_this_thread(async move {
        let mut tasks = Vec::new();
        for number in 0..publishers {
            tasks.push(tokio::spawn(async move {
                let stream = connect(port, &format!("publisher-{number}")).await;
                publish(
                    stream,
                    &topic(number),
                    qos,
                    load.batch,
                    begin + load.publishing,
                )
                .await
            }));
        }
        let mut published = 0;
        for task in tasks {
            published += task.await.unwrap();
        }
        published
    });
    let expected = published * (subscribers / publishers) as u64;
    let (received, last) = tally.settle(expected);
    Run {
        expected,
        received,
        elapsed: last - begin,
        cpu: broker.cpu() - cpu,
        peak: broker.peak(),
    }
}

/// A publisher's socket that ends at a subscriber: what the load can do at most.
fn without_a_broker(load: Load) -> Run {
    let tally = Tally::new();
    let counting = Arc::clone(&tally);
    let (port, bound) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        on_this_thread(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            port.send(listener.local_addr().unwrap().port()).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            consume(stream, counting).await;
        });
    });
    let port = bound.recv().unwrap();
    let begin = Instant::now();
    let expected = on_this_thread(async move {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        publish(stream, &topic(0), 0, load.batch, begin + load.publishing).await
    });
    let (received, last) = tally.settle(expected);
    Run {
        expected,
        received,
        elapsed: last - begin,
        cpu: f64::NAN,
        peak: 0,
    }
}

fn on_this_thread<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn topic(number: usize) -> String {
    format!("bench/{number}")
}

async fn connect(port: u16, client_id: &str) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60];
    string(client_id, &mut body);
    stream.write_all(&packet(0x10, &body)).await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0], "CONNACK");
    stream
}

async fn subscribe(stream: &mut TcpStream, filter: &str, qos: u8) {
    let mut body = vec![0, 1];
    string(filter, &mut body);
    body.push(qos);
    stream.write_all(&packet(0x82, &body)).await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0x90, 3, 0, 1, qos], "SUBACK");
}

/// Publishes as fast as the broker takes it, until the time is over and everything is acknowledged.
async fn publish(
    mut stream: TcpStream,
    topic: &str,
    qos: u8,
    at_once: usize,
    until: Instant,
) -> u64 {
    let mut body = Vec::new();
    string(topic, &mut body);
    let packet_id_at = body.len();
    if qos > 0 {
        body.extend([0, 0]);
    }
    body.extend([b'x'; PAYLOAD]);
    let publish = packet(0x30 | qos << 1, &body);
    let packet_id_at = publish.len() - body.len() + packet_id_at;
    let mut batch = publish.repeat(at_once);
    let mut packet_id: u16 = 0;
    let mut published = 0;
    let mut outstanding = 0;
    let mut incoming = Incoming::new();
    loop {
        let over = Instant::now() >= until;
        if over && outstanding == 0 {
            return published;
        }
        if !over && outstanding + at_once <= WINDOW {
            if qos > 0 {
                for each in batch.chunks_exact_mut(publish.len()) {
                    packet_id = packet_id.checked_add(1).unwrap_or(1);
                    each[packet_id_at..packet_id_at + 2].copy_from_slice(&packet_id.to_be_bytes());
                }
                outstanding += at_once;
            }
            stream.write_all(&batch).await.unwrap();
            published += at_once as u64;
        } else {
            let mut releases = Vec::new();
            let open = incoming
                .read(&mut stream, |header, body| match header >> 4 {
                    4 | 7 => outstanding -= 1,
                    5 => releases.extend([0x62, 2, body[0], body[1]]),
                    other => panic!("packet type {other} came to a publisher"),
                })
                .await;
            assert!(open, "the broker closed a publisher's connection");
            stream.write_all(&releases).await.unwrap();
        }
    }
}

/// Counts what arrives and answers it, until the broker closes.
async fn consume(mut stream: TcpStream, tally: Arc<Tally>) {
    let mut incoming = Incoming::new();
    let mut answers = Vec::new();
    loop {
        let mut count = 0;
        let open = incoming
            .read(&mut stream, |header, body| match header >> 4 {
                3 => {
                    count += 1;
                    let qos = header >> 1 & 3;
                    if qos > 0 {
                        let at = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                        answers.extend([
                            if qos == 1 { 0x40 } else { 0x50 },
                            2,
                            body[at],
                            body[at + 1],
                        ]);
                    }
                }
                6 => answers.extend([0x70, 2, body[0], body[1]]),
                other => panic!("packet type {other} came to a subscriber"),
            })
            .await;
        if count > 0 {
            tally.add(count);
        }
        if !open || stream.write_all(&answers).await.is_err() {
            return;
        }
        answers.clear();
    }
}

/// Bytes that have come and are not a whole packet yet.
struct Incoming {
    buffer: Vec<u8>,
    filled: usize,
}

impl Incoming {
    fn new() -> Incoming {
        Incoming {
            buffer: vec![0; 1 << 17],
            filled: 0,
        }
    }

    /// Reads once and hands over each whole packet: its first byte and its body. `false` when the broker closed.
    async fn read(&mut self, stream: &mut TcpStream, mut packet: impl FnMut(u8, &[u8])) -> bool {
        let Ok(count @ 1..) = stream.read(&mut self.buffer[self.filled..]).await else {
            return false;
        };
        self.filled += count;
        let mut from = 0;
        while let Some((start, end)) = frame(&self.buffer[from..self.filled]) {
            packet(self.buffer[from], &self.buffer[from + start..from + end]);
            from += end;
        }
        self.buffer.copy_within(from..self.filled, 0);
        self.filled -= from;
        true
    }
}

/// Where the body of the first packet begins and ends, when all of it is there.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, byte) in bytes.iter().enumerate().skip(1).take(4) {
        length |= usize::from(byte & 0x7f) << (7 * (index - 1));
        if byte & 0x80 == 0 {
            let end = index + 1 + length;
            return (bytes.len() >= end).then_some((index + 1, end));
        }
    }
    None
}

fn packet(header: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![header];
    let mut length = body.len();
    loop {
        let more = length > 0x7f;
        bytes.push((length & 0x7f) as u8 | if more { 0x80 } else { 0 });
        length >>= 7;
        if !more {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}
