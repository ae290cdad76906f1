//! The spool, killed at any point: what was committed is there again, whatever came after it.

use proptest::prelude::*;

use super::*;
use crate::mqtt::{Properties, QoS};

fn options(directory: &Path) -> Options {
    Options {
        directory: directory.to_owned(),
        client_id: "tester".to_owned(),
        is_made_up: true,
        syncs: false,
        limit: 1 << 30,
    }
}

fn open(directory: &Path) -> Spool {
    Spool::open(options(directory)).unwrap()
}

fn message(text: &str) -> Publish {
    Publish {
        dup: false,
        qos: QoS::ExactlyOnce,
        retain: true,
        topic: "a".into(),
        packet_id: 0,
        properties: Properties::default(),
        payload: text.to_owned().into(),
    }
}

fn waiting(spool: &mut Spool) -> Option<(u64, String)> {
    let (number, publish) = spool.waiting().unwrap()?;
    Some((
        number,
        String::from_utf8_lossy(&publish.payload).into_owned(),
    ))
}

/// Number, packet identifier, whether received.
fn under_way(spool: &Spool) -> Vec<(u64, u16, bool)> {
    let flights = spool.flights();
    flights
        .map(|(number, flight)| (number, flight.packet_id, flight.is_received))
        .collect()
}

#[test]
fn every_step_of_a_message_outlives_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    for text in ["one", "two", "three", "four"] {
        spool.accept(message(text)).unwrap();
    }
    let (number, publish) = spool.send().unwrap();
    assert_eq!((number, publish.packet_id, publish.dup), (1, 1, false));
    spool.send().unwrap();
    spool.send().unwrap();
    assert_eq!(spool.received(1), Some(1));
    assert_eq!(spool.received(3), Some(3));
    assert_eq!(spool.complete(3), Some(3));
    assert_eq!(spool.complete(3), None);
    spool.commit().unwrap();
    drop(spool);

    let mut spool = open(directory.path());
    assert_eq!(under_way(&spool), [(1, 1, true), (2, 2, false)]);
    assert_eq!(waiting(&mut spool), Some((4, "four".to_owned())));
    assert_eq!(spool.len(), 3);
    let (_, publish) = spool.send().unwrap();
    assert_eq!(publish.packet_id, 3);
    assert_eq!(publish.payload, "four");
    spool.forget_session();
    assert_eq!(
        under_way(&spool),
        [(1, 0, false), (2, 0, false), (4, 0, false)]
    );
    assert_eq!(spool.send_again(1).unwrap().packet_id, 4);
    spool.commit().unwrap();
    drop(spool);

    let mut spool = open(directory.path());
    assert_eq!(
        under_way(&spool),
        [(1, 4, false), (2, 0, false), (4, 0, false)]
    );
    assert_eq!(spool.accept(message("five")).unwrap(), 5);
    for number in [1, 2, 4] {
        spool.give_up(number);
    }
    assert_eq!(waiting(&mut spool), Some((5, "five".to_owned())));
    spool.give_up(5);
    assert!(spool.is_empty());
    spool.close().unwrap();
    let mut spool = open(directory.path());
    assert!(spool.is_empty() && spool.waiting().unwrap().is_none());
    assert_eq!(spool.accept(message("six")).unwrap(), 6);
}

#[test]
fn a_spool_keeps_its_client_id_and_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/folder");
    let first = open(&path);
    let error = Spool::open(options(&path)).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "the spool {} is in use by another process; every sender needs a --spool of its own",
            path.display()
        )
    );
    drop(first);
    let second = Spool::open(Options {
        client_id: "another".to_owned(),
        is_made_up: false,
        ..options(&path)
    })
    .unwrap();
    assert_eq!(second.client_id(), "tester");
    assert!(second.has_session_of_its_own());
}

#[test]
fn a_record_that_is_not_whole_is_cut_off_and_everything_before_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    spool.accept(message("whole")).unwrap();
    spool.commit().unwrap();
    let path = directory.path().join("0000000000000001.journal");
    let whole = fs::metadata(&path).unwrap().len();
    spool.accept(message("torn")).unwrap();
    spool.commit().unwrap();
    drop(spool);
    let all = fs::read(&path).unwrap();
    for length in whole as usize..all.len() {
        let mut torn = all[..length].to_vec();
        // What a disk leaves behind where a length was written and the data was not.
        torn.resize(all.len() + length % 3, 0);
        for bytes in [&all[..length], &torn] {
            fs::write(&path, bytes).unwrap();
            let mut spool = open(directory.path());
            assert_eq!(spool.len(), 1, "cut at {length}");
            assert_eq!(waiting(&mut spool), Some((1, "whole".to_owned())));
            assert_eq!(spool.accept(message("again")).unwrap(), 2);
            spool.commit().unwrap();
            drop(spool);
            assert_eq!(open(directory.path()).len(), 2);
        }
    }
}

// A record that was on the disk and is not readable any more is no interrupted write, and what stands behind it was promised.
#[test]
fn a_bit_that_fell_over_loses_nothing_without_a_word() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("0000000000000001.journal");
    let mut spool = open(directory.path());
    let mut last = 0;
    for payload in ["first", "second", "third"] {
        last = fs::metadata(&path).unwrap().len() as usize;
        spool.accept(message(payload)).unwrap();
        spool.commit().unwrap();
    }
    drop(spool);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        match Spool::open(options(directory.path())) {
            // A last record that claims to be longer than the file cannot be told from one whose writing was interrupted.
            Ok(spool) => {
                assert!((last..last + 4).contains(&at), "byte {at}");
                assert_eq!(spool.len(), 2);
            }
            Err(error) => {
                let words = format!("{error:#}");
                let is_named = words.contains("is damaged at byte ")
                    || words.ends_with("it is no journal of this version");
                assert!(is_named, "byte {at}: {words}");
                assert_eq!(fs::read(&path).unwrap(), damaged, "byte {at}");
            }
        }
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(directory.path()).len(), 3);
}

#[test]
fn a_journal_whose_making_was_interrupted_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    spool.accept(message("there")).unwrap();
    spool.commit().unwrap();
    drop(spool);
    let path = directory.path().join("0000000000000002.journal");
    for bytes in [&b""[..], b"mqtt", b"mqttspl\x01\0\0"] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(open(directory.path()).len(), 1);
    }
}

#[test]
fn damage_in_the_middle_is_an_error_that_says_where() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    spool.accept(message("first")).unwrap();
    spool.commit().unwrap();
    spool.journals.begin_another(2).unwrap();
    spool.accept(message("second")).unwrap();
    spool.commit().unwrap();
    drop(spool);
    let path = directory.path().join("0000000000000001.journal");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = format!(
        "{:#}",
        Spool::open(options(directory.path())).err().unwrap()
    );
    assert!(
        error.contains("0000000000000001.journal is damaged at byte "),
        "{error}"
    );
    fs::write(&path, b"something else").unwrap();
    let error = format!(
        "{:#}",
        Spool::open(options(directory.path())).err().unwrap()
    );
    assert!(
        error.ends_with("it is no journal of this version"),
        "{error}"
    );
}

#[test]
fn memory_holds_few_of_those_that_wait_and_disk_none_of_those_that_are_done() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let large = "x".repeat(10_000);
    // 15 MB: four journals.
    for number in 1..=1500 {
        spool.accept(message(&format!("{number} {large}"))).unwrap();
        spool.commit().unwrap();
        assert!(spool.held_bytes <= HELD_BYTES);
    }
    let journals = || fs::read_dir(directory.path()).unwrap().count() - 1;
    assert_eq!(journals(), 4);
    drop(spool);
    let mut spool = open(directory.path());
    for number in 1..=1500 {
        let (waiting, publish) = spool.waiting().unwrap().unwrap();
        assert_eq!(waiting, number);
        assert!(publish.payload.starts_with(format!("{number} ").as_bytes()));
        let (_, publish) = spool.send().unwrap();
        spool.received(publish.packet_id).unwrap();
        spool.complete(publish.packet_id).unwrap();
        spool.commit().unwrap();
    }
    assert!(spool.is_empty());
    assert_eq!(journals(), 1);
    spool.close().unwrap();
    let bytes: u64 = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes < 100, "{bytes}");
}

#[test]
fn a_full_spool_has_no_room_until_something_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(Options {
        limit: 1 << 20,
        ..options(directory.path())
    })
    .unwrap();
    while spool.has_room() {
        spool.accept(message(&"x".repeat(1000))).unwrap();
    }
    assert!((1000..1100).contains(&spool.len()));
}

/// What a process may do with a spool, and what becomes of it.
#[derive(Debug, Clone)]
enum Step {
    Accept,
    Send,
    Receive(usize),
    Complete(usize),
    Forget,
    Commit,
    Another,
    /// The process dies: what was not committed is gone, some of it may be there.
    Crash(usize),
}

/// The same in memory: `(number, packet id, received)` of those under way, and the numbers of those that wait.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    next: u64,
    under_way: Vec<(u64, u16, bool)>,
    waiting: VecDeque<u64>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Accept),
        4 => Just(Step::Send),
        3 => any::<usize>().prop_map(Step::Receive),
        3 => any::<usize>().prop_map(Step::Complete),
        1 => Just(Step::Forget),
        3 => Just(Step::Commit),
        1 => Just(Step::Another),
        1 => any::<usize>().prop_map(Step::Crash),
    ];
    proptest::collection::vec(step, 0..60)
}

fn state(spool: &mut Spool) -> Model {
    let first = spool.waiting().unwrap().map(|(number, _)| number);
    let count = spool.len() - spool.under_way().0 as u64;
    Model {
        next: spool.next,
        under_way: under_way(spool),
        waiting: first.map_or(VecDeque::new(), |first| (first..first + count).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// After a crash the spool is in a state it has gone through since the last commit: nothing of what was
    /// committed is lost, and nothing is there that never was.
    #[test]
    fn a_crash_loses_nothing_that_was_committed(steps in steps()) {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = open(directory.path());
        let mut since_commit = vec![state(&mut spool)];
        for step in steps {
            match step {
                Step::Accept => {
                    let text = spool.next.to_string();
                    spool.accept(message(&text)).unwrap();
                }
                Step::Send => {
                    let again = spool.flights().find(|(_, flight)| flight.packet_id == 0).map(|(number, _)| number);
                    match again {
                        Some(number) => drop(spool.send_again(number)),
                        None => {
                            let expected = spool.waiting().unwrap().map(|(number, _)| number);
                            let sent = spool.send();
                            prop_assert_eq!(sent.as_ref().map(|(number, _)| *number), expected);
                            if let Some((number, publish)) = sent {
                                prop_assert_eq!(publish.payload, number.to_string());
                            }
                        }
                    }
                }
                Step::Receive(which) | Step::Complete(which) => {
                    let ids: Vec<u16> = spool.flights().map(|(_, flight)| flight.packet_id).filter(|id| *id != 0).collect();
                    if let Some(id) = ids.get(which % ids.len().max(1)) {
                        match step {
                            Step::Receive(_) => spool.received(*id),
                            _ => spool.complete(*id),
                        };
                    }
                }
                Step::Forget => spool.forget_session(),
                Step::Commit | Step::Another => {
                    spool.commit().unwrap();
                    if let Step::Another = step {
                        spool.journals.begin_another(spool.next).unwrap();
                        spool.commit().unwrap();
                    }
                    since_commit.clear();
                }
                Step::Crash(extra) => {
                    // Some of the bytes that were not committed made it to the disk.
                    let buffer = spool.journals.take_buffer();
                    let last = spool.journals.end().journal;
                    drop(spool);
                    let path = directory.path().join(format!("{last:016}.journal"));
                    let mut bytes = fs::read(&path).unwrap();
                    bytes.extend_from_slice(&buffer[..extra % (buffer.len() + 1)]);
                    fs::write(&path, bytes).unwrap();
                    spool = open(directory.path());
                    let found = state(&mut spool);
                    prop_assert!(since_commit.contains(&found), "{found:?} not in {since_commit:?}");
                    since_commit.clear();
                }
            }
            since_commit.push(state(&mut spool));
        }
    }
}

#[test]
fn a_full_disk_is_told_what_to_do_about() {
    let words = |kind: io::ErrorKind| format!("{:#}", unwritable(Path::new("outbox"), kind.into()));
    assert_eq!(
        words(io::ErrorKind::StorageFull),
        "cannot write the spool outbox (make room on its disk and start again; what it holds is safe): no storage space"
    );
    assert_eq!(
        words(io::ErrorKind::PermissionDenied),
        "cannot write the spool outbox: permission denied"
    );
}
