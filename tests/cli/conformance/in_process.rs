//! A broker on the test's own thread, with a clock that only moves when it is told to: partitions and log are the real ones,
//! connections are memory. It works while somebody reads or writes, so thousands of runs take seconds.

use std::cell::Cell;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use mqtt_toolbox::broker::counters::Census;
use mqtt_toolbox::broker::front::{self, Mail};
use mqtt_toolbox::broker::log::{self, Seat};
use mqtt_toolbox::broker::partition::Partition;
use mqtt_toolbox::broker::{Config, worker};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::harness::PATIENCE;
use crate::wire::Stream;

/// Bytes a connection holds between writer and reader.
const PIPE: usize = 1 << 16;

#[derive(Clone)]
pub struct InProcess(Rc<Running>);

struct Running {
    partitions: Vec<UnboundedSender<Mail<DuplexStream>>>,
    config: Arc<Config>,
    connections: Cell<u64>,
    /// Counts reads, so that one that lasts too long is noticed.
    reads: Arc<AtomicU64>,
    /// Told when one does.
    alarm: Arc<Notify>,
    tasks: LocalSet,
    /// Ends the watch; before the runtime, which waits for it.
    _watched: mpsc::Sender<()>,
    runtime: Runtime,
}

impl InProcess {
    /// Starts a broker with so many partitions.
    pub fn start(partitions: usize) -> InProcess {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let tasks = LocalSet::new();
        let config = Arc::new(Config::default());
        let mut mailboxes = Vec::new();
        let seats = log::open(partitions).expect("a log");
        tasks.block_on(&runtime, async {
            for (index, seat) in seats.into_iter().enumerate() {
                let (mailbox, mail) = unbounded_channel();
                mailboxes.push(mailbox);
                let Seat {
                    writer,
                    reader,
                    passage,
                } = seat;
                let (config, counters) = (Arc::clone(&config), Arc::default());
                let started = Instant::now();
                let partition = Partition::new(index, config, counters, started, writer, passage);
                tokio::task::spawn_local(worker::run(partition, reader, mail, Ok));
            }
        });
        let (reads, alarm) = (Arc::<AtomicU64>::default(), Arc::<Notify>::default());
        let (watched, watch) = mpsc::channel::<()>();
        let (seen, rings) = (Arc::clone(&reads), Arc::clone(&alarm));
        // As long as a blocking task runs, Tokio's paused clock stands still also when everybody waits for the log.
        runtime.spawn_blocking(move || {
            let mut last = 0;
            while watch.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let now = seen.load(Ordering::Relaxed);
                if std::mem::replace(&mut last, now) == now {
                    rings.notify_one();
                }
            }
        });
        InProcess(Rc::new(Running {
            partitions: mailboxes,
            config,
            connections: Cell::new(0),
            reads,
            alarm,
            tasks,
            _watched: watched,
            runtime,
        }))
    }

    /// A new connection.
    pub fn open(&self) -> Memory {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let running = &self.0;
        let id = running.connections.get() + 1;
        running.connections.set(id);
        let partitions = running.partitions.clone();
        let config = Arc::clone(&running.config);
        running.tasks.spawn_local(async move {
            // The same in every run, unlike the real front's: a seed is to find its clients where it found them before.
            let hasher = BuildHasherDefault::<DefaultHasher>::default();
            let address = ([127, 0, 0, 1], 1).into();
            if let Some(newcomer) = front::admit(id, theirs, address, &config, &hasher).await {
                front::introduce(newcomer, &partitions);
            }
        });
        Memory {
            broker: self.clone(),
            stream: ours,
        }
    }

    /// Lets time pass, and does what is due.
    pub fn advance(&self, milliseconds: u64) {
        self.drive(tokio::time::advance(Duration::from_millis(milliseconds)));
    }

    /// What each partition has.
    pub fn census(&self) -> Vec<Census> {
        let ask = |partition: &UnboundedSender<Mail<DuplexStream>>| {
            let (answer, answered) = oneshot::channel();
            let sent = partition.send(Mail::Census(answer));
            assert!(sent.is_ok(), "the partition runs");
            self.drive(answered).expect("the partition answers")
        };
        self.0.partitions.iter().map(ask).collect()
    }

    fn drive<F: Future>(&self, work: F) -> F::Output {
        let running = &self.0;
        running.runtime.block_on(running.tasks.run_until(work))
    }
}

/// A client's end of a connection in memory.
pub struct Memory {
    broker: InProcess,
    stream: DuplexStream,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let running = &self.broker.0;
        running.reads.fetch_add(1, Ordering::Relaxed);
        let stream = &mut self.stream;
        running.runtime.block_on(running.tasks.run_until(async {
            tokio::select! {
                biased;
                read = stream.read(buffer) => read,
                () = running.alarm.notified() => Err(ErrorKind::TimedOut.into()),
            }
        }))
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.broker.drive(self.stream.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Stream for Memory {
    fn finish(&mut self) {
        let finished = self.broker.drive(self.stream.shutdown());
        finished.expect("the connection is open");
    }
}
