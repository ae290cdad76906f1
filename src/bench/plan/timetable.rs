//! When the messages of all streams are due, for whoever has to ask: those whose header has no room for it.

use super::Plan;
use super::schedule::Schedule;

impl Plan {
    /// Tells when a message of a stream was due.
    pub fn timetable(&self) -> Timetable {
        let mut first = 0;
        let groups = self.publish.iter().enumerate().map(|(place, group)| {
            let entry = TimetableEntry {
                first,
                topics: group.topic.len() as u32,
                schedule: Schedule::new(group.rate, self.seed(0, place), 0, group.clients),
            };
            first += group.streams();
            entry
        });
        Timetable(groups.collect())
    }
}

/// When the messages of all streams are due: for messages whose header has no room for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable(Vec<TimetableEntry>);

#[derive(Debug, Clone, PartialEq)]
struct TimetableEntry {
    /// The group's first stream.
    first: u32,
    /// How many each client has.
    topics: u32,
    /// Of its first client.
    schedule: Schedule,
}

impl Timetable {
    /// When message `sequence` of a stream was due, in nanoseconds; `None` when it had no time.
    pub fn due_ns(&self, stream: u32, sequence: u64) -> Option<u64> {
        let groups = self.0.partition_point(|group| group.first <= stream);
        let group = self.0.get(groups.checked_sub(1)?)?;
        let (client, topic) = (
            (stream - group.first) / group.topics,
            (stream - group.first) % group.topics,
        );
        let message = sequence * u64::from(group.topics) + u64::from(topic);
        let due = group.schedule.of(client).due(message)?;
        Some(due.as_nanos() as u64)
    }
}
