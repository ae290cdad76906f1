//! A bench's intervals as files: an HdrHistogram log (`--hlog`) and a table of rates and latencies (`--csv`).
//!
//! Each interval is written as it ends, so that a run that is killed leaves what it has found.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::bench::load::Struck;
use crate::bench::measure::histograms::encode;
use crate::bench::measure::latency::Latency;
use crate::bench::measure::series::Interval;
use crate::bench::role::Phase;

/// An HdrHistogram interval log, version 1.3: a line for each interval and tag, values in microseconds, the column
/// `Interval_Max` in milliseconds.
pub struct HistogramLog<W> {
    out: W,
}

impl<W: Write> HistogramLog<W> {
    /// Begins the log of a run that starts now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W) -> io::Result<HistogramLog<W>> {
        let start = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        write!(
            out,
            "#[Logged with mqtt bench {}; values in microseconds]\n\
             #[Histogram log format version 1.3]\n\
             #[StartTime: {start:.3} (seconds since epoch)]\n\
             #[BaseTime: {start:.3} (seconds since epoch)]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
            env!("CARGO_PKG_VERSION")
        )?;
        Ok(HistogramLog { out })
    }

    /// Writes what was recorded in one interval; what recorded nothing has no line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, interval: &Interval) -> io::Result<()> {
        for (tag, histogram) in interval.recorder.histograms() {
            if histogram.is_empty() {
                continue;
            }
            writeln!(
                self.out,
                "Tag={tag},{:.3},{:.3},{:.3},{}",
                interval.from.as_secs_f64(),
                (interval.to - interval.from).as_secs_f64(),
                histogram.max() as f64 / 1000.0,
                encode(histogram)
            )?;
        }
        self.out.flush()
    }
}

/// A table with a line for each interval: rates per second, and the latency of what was measured in it, in
/// microseconds; empty where nothing was, or too little for that percentile. The last column names the faults that were on.
pub struct Table<W> {
    out: W,
}

impl<W: Write> Table<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut out: W) -> io::Result<Table<W>> {
        let head = "elapsed_s,phase,connected,connected_per_s,sent_per_s,acknowledged_per_s,delivered_per_s,";
        let latency = ["response", "service", "ack"]
            .map(|name| format!("{name}_p50_us,{name}_p99_us,{name}_max_us,"));
        writeln!(out, "{head}{}lost_connections,faults", latency.concat())?;
        Ok(Table { out })
    }

    /// Writes one line. Of the faults those are meant that were on at some time of the interval.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, interval: &Interval, faults: &[Struck]) -> io::Result<()> {
        let recorder = &interval.recorder;
        let seconds = (interval.to - interval.from).as_secs_f64().max(0.001);
        let phase = match interval.phase {
            Phase::Setup => "connect",
            Phase::Load => "load",
            Phase::Drain => "drain",
            Phase::Close => "end",
        };
        write!(
            self.out,
            "{:.3},{phase},{}",
            interval.to.as_secs_f64(),
            interval.connected
        )?;
        for count in [
            recorder.connects.made,
            recorder.sent.total,
            recorder.acknowledged.total,
            recorder.delivered.total,
        ] {
            write!(self.out, ",{:.1}", count as f64 / seconds)?;
        }
        let connects = &recorder.connects;
        for (message, connection) in [
            (&recorder.response, Some(&connects.response)),
            (&recorder.service, Some(&connects.service)),
            (&recorder.acknowledgement, None),
        ] {
            // Where only connections are made, they are what has a latency.
            let histogram = match connection {
                Some(connection) if interval.phase == Phase::Setup => connection,
                _ => message,
            };
            let latency = Latency::of(histogram);
            for value in [
                latency.as_ref().and_then(|latency| latency.p50),
                latency.as_ref().and_then(|latency| latency.p99),
                latency.as_ref().map(|latency| latency.max),
            ] {
                match value {
                    Some(us) => write!(self.out, ",{us}")?,
                    None => write!(self.out, ",")?,
                }
            }
        }
        let mut on: Vec<&str> = Vec::new();
        for fault in faults {
            // The same one happens on each machine, or twice in one interval.
            if fault.was_on(interval.from, interval.to) && !on.contains(&&*fault.what) {
                on.push(&fault.what);
            }
        }
        // The words of a fault have neither commas nor quotation marks.
        writeln!(self.out, ",{},{}", interval.lost, on.join("; "))?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::bench::measure::{Recorder, Window};

    fn interval(second: u64) -> Interval {
        let mut recorder = Recorder::new(Window {
            from_ns: 0,
            to_ns: u64::MAX,
        });
        for n in 0..1000 {
            let due_ns = second * 1_000_000_000 + n * 1_000_000;
            recorder.sent(Some(due_ns), 0, due_ns + 5000);
            recorder.delivered(Some(due_ns), due_ns + 5000, due_ns + 10_000 * (n + 1));
        }
        Interval {
            from: Duration::from_secs(second),
            to: Duration::from_secs(second + 1),
            phase: Phase::Load,
            recorder,
            connected: 2,
            lost: 0,
        }
    }

    #[test]
    fn the_log_is_read_by_the_librarys_own_reader_and_says_the_same() {
        let mut bytes = Vec::new();
        let mut log = HistogramLog::new(&mut bytes).unwrap();
        let mut expected = hdrhistogram::Histogram::<u64>::new(3).unwrap();
        for second in 0..3 {
            let interval = interval(second);
            log.write(&interval).unwrap();
            expected.add(&interval.recorder.response).unwrap();
        }
        let mut found = hdrhistogram::Histogram::<u64>::new(3).unwrap();
        let mut tags = Vec::new();
        for entry in IntervalLogIterator::new(&bytes) {
            let LogEntry::Interval(line) = entry.unwrap() else {
                continue;
            };
            let tag = line.tag().unwrap().as_str().to_owned();
            if tag == "response" {
                assert_eq!(line.start_timestamp().as_secs(), tags.len() as u64 / 4);
                // 10,000 µs, as the largest value of its bucket of eight.
                assert_eq!(line.max(), 10.007);
                let histogram = STANDARD.decode(line.encoded_histogram()).unwrap();
                let mut reader = Deserializer::new();
                found
                    .add(reader.deserialize::<u64, _>(&mut &histogram[..]).unwrap())
                    .unwrap();
            }
            tags.push(tag);
        }
        assert_eq!(&tags[..4], ["response", "service", "send", "generator"]);
        assert_eq!(tags.len(), 12);
        assert_eq!(found, expected);
    }

    #[test]
    fn the_table_has_a_line_for_each_interval() {
        let mut bytes = Vec::new();
        let mut table = Table::new(&mut bytes).unwrap();
        let fault = |what: &str, began, ended: Option<u64>| Struck {
            what: what.to_owned(),
            began: Duration::from_millis(began),
            ended: ended.map(Duration::from_millis),
        };
        let faults = [
            fault("cut=100%", 1000, Some(6999)),
            fault("stall=both", 5000, Some(7500)),
            fault("cut=30%", 7200, Some(7200)),
            fault("cut=30%", 7400, Some(7400)),
            fault("delay=20ms jitter=5ms", 7999, None),
            fault("cut=5", 8000, None),
        ];
        table.write(&interval(7), &faults).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "elapsed_s,phase,connected,connected_per_s,sent_per_s,acknowledged_per_s,delivered_per_s,\
             response_p50_us,response_p99_us,response_max_us,service_p50_us,service_p99_us,service_max_us,\
             ack_p50_us,ack_p99_us,ack_max_us,lost_connections,faults\n\
             8.000,load,2,0.0,1000.0,0.0,1000.0,5003,9903,10007,4995,9895,9999,,,,0,stall=both; cut=30%; delay=20ms jitter=5ms\n"
        );
    }
}
