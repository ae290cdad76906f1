//! The log: every publish of the broker in one total order, read whole by every partition. The only file that
//! names rumqttd, whose router carries it as ONE filter read by a few links, the load it is excellent at.
//!
//! A *record* is a run of publishes from one origin (a partition), appended at once so that the router's cost is
//! paid per record and not per message. Every record carries its origin and the origin's own sequence number.
//! A *position* is the sequence number up to which one reader has processed one origin. Three things are this one
//! mechanism: an origin may not run further ahead of its slowest reader than the window, so the router's
//! bounded segments never evict what somebody still has to read; a publish is acknowledged when every reader has
//! passed it; and a gap in the numbers is a bug that is noticed.
//!
//! The log knows nothing of topics, sessions or MQTT: a record's body is bytes to it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{BufMut, Bytes, BytesMut};
use rumqttd::local::{LinkBuilder, LinkRx, LinkTx};
use rumqttd::protocol::{Packet, Publish};
use rumqttd::{Notification, RouterConfig, Strategy};
use tokio::sync::Notify;

/// The one filter, and the one topic. ASCII on purpose: the router panics on topics that begin with anything else.
const FILTER: &str = "log";

/// Origin (u16) and sequence number (u64) in front of every record.
const HEADER: usize = 10;

/// Bytes an origin may have appended before the slowest reader has passed them. One more record may be let in
/// when the window is not yet full, so a record larger than the window still travels.
pub const WINDOW: usize = 4 << 20;

/// A segment of the router's log: what it evicts at a time.
const SEGMENT: usize = 1 << 20;

/// Largest record a writer makes of small publishes; a single larger publish is a record of its own.
pub const RECORD: usize = 64 << 10;

/// What the last record handed over may bring into a window that was not quite full.
const OVERSHOOT: usize = 2 * RECORD;

/// Records the router hands to a reader in one sweep.
const SWEEP: u64 = 64;

/// The router's thread has ended. Nothing can be delivered any more; the process must say so and exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnded;

impl fmt::Display for LogEnded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the log has ended: its router thread is gone")
    }
}

impl std::error::Error for LogEnded {}

/// Where every reader stands in every origin, and who waits for it.
#[derive(Debug)]
struct Positions {
    partitions: usize,
    /// `[origin * partitions + reader]`: the last sequence number of `origin` that `reader` has processed.
    passed: Vec<AtomicU64>,
    /// Per origin: the sequence number it waits to see passed by all, `u64::MAX` when it waits for none.
    wanted: Vec<AtomicU64>,
    /// Per origin: told when what it wanted has been passed.
    wake: Vec<Notify>,
    /// Per origin and sequence number: which entries of a record some reader had use for, a bit each.
    used: Vec<Mutex<BTreeMap<u64, Vec<u64>>>>,
}

impl Positions {
    fn new(partitions: usize) -> Positions {
        Positions {
            partitions,
            passed: (0..partitions * partitions)
                .map(|_| AtomicU64::new(0))
                .collect(),
            wanted: (0..partitions).map(|_| AtomicU64::new(u64::MAX)).collect(),
            wake: (0..partitions).map(|_| Notify::new()).collect(),
            used: (0..partitions).map(|_| Mutex::default()).collect(),
        }
    }

    /// The sequence number of `origin` that every reader has passed.
    fn passed_by_all(&self, origin: usize) -> u64 {
        let row = &self.passed[origin * self.partitions..][..self.partitions];
        row.iter()
            .map(|position| position.load(Ordering::SeqCst))
            .min()
            .unwrap_or(0)
    }

    fn used_by(&self, origin: usize) -> MutexGuard<'_, BTreeMap<u64, Vec<u64>>> {
        // Whoever panicked while holding it has not left half a bit behind.
        self.used[origin]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sequentially consistent on both sides: either the reader sees what is wanted, or the origin, which looks
    /// again after it has said what it wants, sees the new position. So no wake-up is lost, and none is
    /// sent that nobody waits for.
    fn advance(&self, origin: usize, reader: usize, sequence: u64) {
        self.passed[origin * self.partitions + reader].store(sequence, Ordering::SeqCst);
        let wanted = self.wanted[origin].load(Ordering::SeqCst);
        if sequence >= wanted && self.passed_by_all(origin) >= wanted {
            self.wake[origin].notify_one();
        }
    }
}

/// One partition's seat at the log: it writes as one origin and reads everything.
pub struct Seat {
    /// Appends as this origin.
    pub writer: Writer,
    /// Reads every origin.
    pub reader: Reader,
    /// Waits for what it wrote to be passed.
    pub passage: Passage,
}

/// Opens a log for this many partitions; blocks briefly while the router thread starts.
///
/// # Errors
/// [`LogEnded`] when the router does not come up.
pub fn open(partitions: usize) -> Result<Vec<Seat>, LogEnded> {
    open_with_window(partitions, WINDOW)
}

/// Segments that hold whatever may be unread. Each origin can have `window` bytes and one more record unread;
/// a closed segment holds at least [`SEGMENT`] bytes, the unread stretch may begin and end inside one each,
/// and an outsized record of each origin may sit in one of its own.
fn segments(partitions: usize, window: usize) -> usize {
    (partitions * (window + OVERSHOOT)).div_ceil(SEGMENT) + 2 + partitions
}

fn open_with_window(partitions: usize, window: usize) -> Result<Vec<Seat>, LogEnded> {
    let config = RouterConfig {
        max_connections: partitions + 1,
        max_outgoing_packet_count: SWEEP,
        max_segment_size: SEGMENT,
        max_segment_count: segments(partitions, window),
        custom_segment: None,
        initialized_filters: None,
        shared_subscriptions_strategy: Strategy::default(),
    };
    let router = rumqttd::Router::new(0, config).spawn();
    let positions = Arc::new(Positions::new(partitions));
    (0..partitions)
        .map(|partition| {
            let name = format!("partition-{partition}");
            let (mut sender, mut receiver, _) = LinkBuilder::new(&name, router.clone())
                .build()
                .map_err(|_| LogEnded)?;
            sender.subscribe(FILTER).map_err(|_| LogEnded)?;
            // Nothing may be appended before every reader's subscription is in force: wait for its SUBACK.
            while !matches!(
                receiver.recv().map_err(|_| LogEnded)?,
                Some(Notification::DeviceAck(_))
            ) {}
            Ok(Seat {
                writer: Writer {
                    origin: partition,
                    link: sender,
                    next: 1,
                    window,
                    unread: VecDeque::new(),
                    unread_bytes: 0,
                    waiting: VecDeque::new(),
                    positions: Arc::clone(&positions),
                },
                reader: Reader {
                    partition,
                    link: receiver,
                    expected: vec![1; partitions],
                    positions: Arc::clone(&positions),
                },
                passage: Passage {
                    origin: partition,
                    positions: Arc::clone(&positions),
                },
            })
        })
        .collect()
}

/// The appending half of a seat.
pub struct Writer {
    origin: usize,
    link: LinkTx,
    next: u64,
    window: usize,
    /// Sequence number and size of every record that some reader has not passed yet.
    unread: VecDeque<(u64, usize)>,
    unread_bytes: usize,
    /// Records for which the log has no room yet.
    waiting: VecDeque<Bytes>,
    positions: Arc<Positions>,
}

impl Writer {
    /// The sequence number the next record will carry.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Appends one record and returns its sequence number. Does not wait for room: a record for which there is none is kept
    /// here until [`Writer::go_on`]. Whoever gathers publishes asks [`Writer::has_room`] before taking more of them from
    /// a client; only what cannot be held back, such as what a session leaves behind, is more than the log has room for.
    ///
    /// # Errors
    /// [`LogEnded`] when the router is gone.
    pub fn append(&mut self, body: &[u8]) -> Result<u64, LogEnded> {
        let sequence = self.next;
        let mut record = BytesMut::with_capacity(HEADER + body.len());
        record.put_u16(self.origin as u16);
        record.put_u64(sequence);
        record.extend_from_slice(body);
        self.next += 1;
        self.waiting.push_back(record.freeze());
        self.go_on()?;
        Ok(sequence)
    }

    /// Hands over what waits, as far as there is room by now.
    ///
    /// # Errors
    /// [`LogEnded`] when the router is gone.
    pub fn go_on(&mut self) -> Result<(), LogEnded> {
        while !self.waiting.is_empty() && self.is_within_window() {
            let Some(record) = self.waiting.pop_front() else {
                break;
            };
            let sequence = self.next - 1 - self.waiting.len() as u64;
            self.hand_over(sequence, record)?;
        }
        Ok(())
    }

    fn hand_over(&mut self, sequence: u64, record: Bytes) -> Result<(), LogEnded> {
        self.unread.push_back((sequence, record.len()));
        self.unread_bytes += record.len();
        let publish = Publish::new(Bytes::from_static(FILTER.as_bytes()), record, false);
        // The router takes the whole buffer at one event. It is ours alone to fill, so when something is already
        // in it the event for it is still on its way.
        let mut buffer = self.link.buffer();
        if buffer.is_empty() {
            drop(buffer);
            self.link
                .publish(publish.topic, publish.payload)
                .map_err(|_| LogEnded)?;
        } else {
            buffer.push_back(Packet::Publish(publish, None));
        }
        Ok(())
    }

    /// The sequence number every reader has passed.
    pub fn passed(&self) -> u64 {
        self.positions.passed_by_all(self.origin)
    }

    /// Which entries of a passed record some reader had use for, a bit each; takes it out. Nothing when there is none.
    pub fn take_used(&mut self, sequence: u64) -> Vec<u64> {
        let mut used = self.positions.used_by(self.origin);
        // Records nobody asked about are not looked up; what readers said of them goes here.
        let later = used.split_off(&(sequence + 1));
        std::mem::replace(&mut *used, later)
            .remove(&sequence)
            .unwrap_or_default()
    }

    /// Whether more may be appended: nothing waits, and the slowest reader is less than a window behind.
    pub fn has_room(&mut self) -> bool {
        self.waiting.is_empty() && self.is_within_window()
    }

    /// Whether records wait for room.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn is_within_window(&mut self) -> bool {
        if self.unread_bytes < self.window {
            return true;
        }
        let passed = self.passed();
        while let Some(&(sequence, size)) = self.unread.front() {
            if sequence > passed {
                break;
            }
            self.unread.pop_front();
            self.unread_bytes -= size;
        }
        self.unread_bytes < self.window
    }

    /// Bytes that some reader may not have passed yet.
    pub fn unread_bytes(&self) -> usize {
        let passed = self.passed();
        let waiting: usize = self.waiting.iter().map(Bytes::len).sum();
        self.unread
            .iter()
            .filter(|(sequence, _)| *sequence > passed)
            .map(|(_, size)| size)
            .sum::<usize>()
            + waiting
    }

    /// The sequence number whose passing makes room: the oldest unread one.
    pub fn oldest_unread(&self) -> Option<u64> {
        self.unread.front().map(|(sequence, _)| *sequence)
    }
}

/// Waiting for one's own records to be passed by every reader.
#[derive(Clone)]
pub struct Passage {
    origin: usize,
    positions: Arc<Positions>,
}

impl Passage {
    /// Says which sequence number this origin waits for; `None` for none. Wakes at once when it has been passed.
    pub fn want(&self, sequence: Option<u64>) {
        let wanted = sequence.unwrap_or(u64::MAX);
        self.positions.wanted[self.origin].store(wanted, Ordering::SeqCst);
        if self.positions.passed_by_all(self.origin) >= wanted {
            self.positions.wake[self.origin].notify_one();
        }
    }

    /// Returns when what is wanted has been passed. May return early; ask the writer what has been passed.
    pub async fn wait(&self) {
        self.positions.wake[self.origin].notified().await;
    }
}

/// One record as a reader sees it.
#[derive(Debug, Clone)]
pub struct Record {
    /// The partition that wrote it.
    pub origin: usize,
    /// Its place among that origin's records, from 1.
    pub sequence: u64,
    /// What was appended.
    pub body: Bytes,
}

/// The reading half of a seat.
pub struct Reader {
    partition: usize,
    link: LinkRx,
    /// Per origin, the sequence number that must come next.
    expected: Vec<u64>,
    positions: Arc<Positions>,
}

impl Reader {
    /// The next record in the total order. Say [`Reader::passed`] when it has been processed.
    ///
    /// # Errors
    /// [`LogEnded`] when the router is gone.
    ///
    /// # Panics
    /// When a record is missing: the window was not kept, which is a bug.
    pub async fn next(&mut self) -> Result<Record, LogEnded> {
        loop {
            match self.link.next().await.map_err(|_| LogEnded)? {
                Some(Notification::Forward(forward)) => {
                    return Ok(self.accept(forward.publish.payload));
                }
                // The router has put this link aside after filling its buffer; without this it never comes back.
                Some(Notification::Unschedule) => self.link.ready().map_err(|_| LogEnded)?,
                _ => {}
            }
        }
    }

    fn accept(&mut self, record: Bytes) -> Record {
        let origin = usize::from(u16::from_be_bytes([record[0], record[1]]));
        let mut number = [0; 8];
        number.copy_from_slice(&record[2..HEADER]);
        let sequence = u64::from_be_bytes(number);
        assert_eq!(
            sequence, self.expected[origin],
            "the log lost records of partition {origin} before partition {} read them",
            self.partition
        );
        self.expected[origin] += 1;
        Record {
            origin,
            sequence,
            body: record.slice(HEADER..),
        }
    }

    /// Tells the origin, before the record is marked as passed, which of its entries this partition has use for.
    pub fn say_used(&self, record: &Record, bits: &[u64]) {
        let mut used = self.positions.used_by(record.origin);
        let known = used.entry(record.sequence).or_default();
        known.resize(known.len().max(bits.len()), 0);
        known
            .iter_mut()
            .zip(bits)
            .for_each(|(known, bits)| *known |= bits);
    }

    /// Marks a record as processed by this partition.
    pub fn passed(&self, record: &Record) {
        self.positions
            .advance(record.origin, self.partition, record.sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn on_a_thread<F: Future<Output = T> + 'static, T: Send + 'static>(
        work: impl FnOnce() -> F + Send + 'static,
    ) -> thread::JoinHandle<T> {
        thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
                .block_on(work())
        })
    }

    /// Every partition writes `count` numbered records of `size` bytes and reads everybody's; reader 0 is slow.
    fn every_reader_sees_everything(partitions: usize, window: usize, count: u64, size: usize) {
        let seats = open_with_window(partitions, window).unwrap();
        let threads: Vec<_> = seats
            .into_iter()
            .map(
                |Seat {
                     mut writer,
                     mut reader,
                     passage,
                 }| {
                    on_a_thread(move || async move {
                        let write = async {
                            for number in 0..count {
                                while !writer.has_room() {
                                    passage.want(writer.oldest_unread());
                                    passage.wait().await;
                                }
                                let mut body = number.to_be_bytes().to_vec();
                                body.resize(size, 7);
                                writer.append(&body).unwrap();
                                tokio::task::yield_now().await;
                            }
                            while writer.passed() < count {
                                passage.want(Some(count));
                                passage.wait().await;
                            }
                        };
                        let read = async {
                            let mut seen = vec![0u64; partitions];
                            while seen.iter().any(|number| *number < count) {
                                let record = reader.next().await.unwrap();
                                assert_eq!(record.body.len(), size);
                                assert_eq!(record.body[..8], seen[record.origin].to_be_bytes());
                                assert_eq!(record.sequence, seen[record.origin] + 1);
                                seen[record.origin] += 1;
                                if reader.partition == 0 && record.sequence.is_multiple_of(64) {
                                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                                }
                                reader.passed(&record);
                                tokio::task::yield_now().await;
                            }
                            seen
                        };
                        tokio::join!(write, read).1
                    })
                },
            )
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), vec![count; partitions]);
        }
    }

    #[test]
    fn every_reader_sees_every_record_of_every_origin_in_order() {
        every_reader_sees_everything(4, WINDOW, 5_000, 100);
    }

    #[test]
    fn a_slow_reader_loses_nothing_when_the_log_is_many_times_larger_than_what_the_router_keeps() {
        // 3 x 3,000 x 32 KiB = 288 MiB through segments that keep about 15 MiB.
        every_reader_sees_everything(3, WINDOW, 3_000, 32 << 10);
    }

    #[test]
    fn a_window_smaller_than_a_record_still_lets_every_record_through() {
        every_reader_sees_everything(2, 1_000, 50, 3 << 20);
    }

    #[test]
    fn what_the_log_has_no_room_for_waits_and_comes_in_order() {
        let Seat {
            mut writer,
            mut reader,
            passage,
        } = open_with_window(1, WINDOW).unwrap().remove(0);
        on_a_thread(move || async move {
            // 50 MiB at once, through segments that keep about 8.
            for number in 0..50u64 {
                let mut body = number.to_be_bytes().to_vec();
                body.resize(1 << 20, 7);
                assert_eq!(writer.append(&body), Ok(number + 1));
            }
            assert!(writer.is_behind() && !writer.has_room());
            for number in 0..50u64 {
                let record = reader.next().await.unwrap();
                assert_eq!(record.body[..8], number.to_be_bytes());
                passage.want(writer.oldest_unread());
                reader.passed(&record);
                passage.wait().await;
                writer.go_on().unwrap();
            }
            assert!(!writer.is_behind() && writer.unread_bytes() == 0 && writer.has_room());
        })
        .join()
        .unwrap();
    }

    #[test]
    fn one_partition_reads_what_it_writes() {
        every_reader_sees_everything(1, 10_000, 2_000, 1_000);
    }

    #[test]
    fn the_end_of_the_router_thread_is_noticed_by_readers_and_writers() {
        let Seat {
            mut writer,
            mut reader,
            ..
        } = open(1).unwrap().remove(0);
        // A topic that begins with a non-ASCII letter ends the router: the reason why only FILTER ever goes in.
        writer.link.publish("é", Bytes::new()).unwrap();
        let ended = on_a_thread(move || async move { reader.next().await.map(|_| ()) })
            .join()
            .unwrap();
        assert_eq!(ended, Err(LogEnded));
        while writer.append(b"x").is_ok() {
            thread::yield_now();
            writer.link.buffer().clear();
        }
    }
}
