//! What the log costs by itself: partitions that each write records and read everybody's, with no MQTT around it.
//!
//! `cargo bench --bench log`. One line a case: records and messages (of 83 bytes, a 64 byte payload in its envelope) a second
//! through the log, counted once however many partitions read them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::thread;
use std::time::{Duration, Instant};

use mqtt_toolbox::broker::log::{self, RECORD, Seat};

/// Bytes of one message's envelope.
const MESSAGE: usize = 83;
const RUN: Duration = Duration::from_secs(2);

fn main() {
    for partitions in [1, 2, 4] {
        for messages in [1, 16, RECORD / MESSAGE] {
            let records = run(partitions, messages * MESSAGE, false);
            report(partitions, messages, records, "");
        }
    }
    let records = run(2, RECORD, true);
    report(
        2,
        RECORD / MESSAGE,
        records,
        ", one reader waits 1 ms every 64 records",
    );
}

fn report(partitions: usize, messages: usize, records: f64, remark: &str) {
    println!(
        "{partitions} partitions, {messages:>3} messages a record: {:>7.0} k records/s, {:>8.0} k messages/s{remark}",
        records / 1e3,
        records * messages as f64 / 1e3,
    );
}

/// Records a second, all origins together.
fn run(partitions: usize, size: usize, slow: bool) -> f64 {
    let threads: Vec<_> = log::open(partitions)
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(partition, seat)| {
            thread::spawn(move || partition_run(seat, size, slow && partition == 0))
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum()
}

/// Writes for the length of the run and until all of it has been passed, reading all the while; returns the records
/// it wrote a second.
fn partition_run(seat: Seat, size: usize, slow: bool) -> f64 {
    let Seat {
        mut writer,
        mut reader,
        passage,
    } = seat;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let started = Instant::now();
        let end = started + RUN;
        let body = vec![0; size];
        let write = async {
            while Instant::now() < end {
                while !writer.has_room() {
                    passage.want(writer.oldest_unread());
                    passage.wait().await;
                }
                writer.append(&body).unwrap();
                tokio::task::yield_now().await;
            }
            let last = writer.next_sequence() - 1;
            while writer.passed() < last {
                passage.want(Some(last));
                passage.wait().await;
            }
            last as f64 / started.elapsed().as_secs_f64()
        };
        let read = async {
            for count in 1u64.. {
                let record = reader.next().await.unwrap();
                if slow && count.is_multiple_of(64) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                reader.passed(&record);
                tokio::task::yield_now().await;
            }
        };
        // The others may still wait for this reader: it goes on a little after its own writing is done.
        tokio::pin!(read);
        let rate = tokio::select! { rate = write => rate, () = &mut read => unreachable!("reading does not end") };
        let _ = tokio::time::timeout(Duration::from_secs(1), read).await;
        rate
    })
}
