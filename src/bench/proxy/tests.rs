//! The proxy between streams in memory, in a time that only the test moves.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::links::Links;
use super::strikes::Strikes;
use crate::bench::plan::disturbance::{Clientele, Disturbance};

/// A client's end and a broker's end, with the proxy between.
struct Pair {
    client: DuplexStream,
    broker: DuplexStream,
}

/// What a test has.
struct Scene {
    links: Rc<Links>,
    strikes: Arc<Strikes>,
    start: Instant,
    made: u16,
}

impl Scene {
    /// One more connection, of a publisher.
    fn connect(&mut self) -> Pair {
        self.connect_as(Clientele::Publishers)
    }

    fn connect_as(&mut self, kind: Clientele) -> Pair {
        let (client, near) = tokio::io::duplex(1024 * 1024);
        let (far, broker) = tokio::io::duplex(1024 * 1024);
        self.made += 1;
        let (links, address) = (Rc::clone(&self.links), address(self.made));
        tokio::task::spawn_local(async move { links.carry(address, kind, near, far).await });
        Pair { client, broker }
    }

    async fn at(&self, ms: u64) {
        sleep_until(self.start + Duration::from_millis(ms)).await;
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

fn address(number: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], number))
}

/// Plays a test in which these faults happen.
async fn suffering(faults: &[&str], test: impl AsyncFnOnce(Scene)) {
    let faults: Vec<Disturbance> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let strikes = Arc::new(Strikes::default());
    let links = Rc::new(Links::new(7, Arc::clone(&strikes)));
    let start = Instant::now();
    let scene = Scene {
        links: Rc::clone(&links),
        strikes,
        start,
        made: 0,
    };
    let played = async {
        tokio::select! {
            () = links.suffer(&faults, start) => {}
            () = test(scene) => {}
        }
    };
    LocalSet::new().run_until(played).await;
}

/// The next bytes, at most four; empty at the end.
async fn next(stream: &mut DuplexStream) -> Vec<u8> {
    let mut buffer = [0; 4];
    let count = stream.read(&mut buffer).await.unwrap_or(0);
    buffer[..count].to_vec()
}

/// Whether nothing comes and nothing ends for a long time.
async fn is_quiet(stream: &mut DuplexStream) -> bool {
    timeout(Duration::from_secs(100), next(stream))
        .await
        .is_err()
}

#[tokio::test(start_paused = true)]
async fn without_a_fault_bytes_pass_both_ways_and_an_end_is_passed_on() {
    suffering(&[], async |mut scene| {
        let mut pair = scene.connect();
        pair.client.write_all(b"up").await.unwrap();
        assert_eq!(next(&mut pair.broker).await, b"up");
        pair.broker.write_all(b"down").await.unwrap();
        drop(pair.broker);
        assert_eq!(next(&mut pair.client).await, b"down");
        assert_eq!(next(&mut pair.client).await, b"");
        assert_eq!(scene.now(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_closes_its_share_and_refuses_new_ones_for_its_time() {
    suffering(&["at=1s cut=50% for=2s"], async |mut scene| {
        let mut pairs: Vec<Pair> = (0..4).map(|_| scene.connect()).collect();
        scene.at(500).await;
        assert!(!scene.links.refuses(Clientele::Publishers));
        scene.at(1500).await;
        assert!(scene.links.refuses(Clientele::Publishers));
        let mut closed = 0;
        for (number, pair) in (1..).zip(&mut pairs) {
            let ends = timeout(Duration::from_millis(1), next(&mut pair.client)).await;
            let hit = scene.strikes.on(address(number)).is_some();
            assert_eq!(ends.is_ok(), hit, "connection {number}");
            closed += usize::from(hit);
            if hit {
                assert_eq!(next(&mut pair.broker).await, b"", "both ends are closed");
            }
        }
        assert_eq!(closed, 2);
        scene.at(3100).await;
        assert!(!scene.links.refuses(Clientele::Publishers));
        let strike = scene.strikes.so_far()[0];
        assert_eq!((strike.open, strike.hit), (4, 2));
        assert_eq!(strike.began, Duration::from_secs(1));
        assert_eq!(strike.ended, Some(Duration::from_secs(3)));
        // Whoever has the address now was not hit.
        scene.made = 0;
        let _again: Vec<Pair> = (0..4).map(|_| scene.connect()).collect();
        scene.at(3200).await;
        assert!((1..=4).all(|number| scene.strikes.on(address(number)).is_none()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stall_holds_everything_and_loses_nothing() {
    suffering(
        &["at=1s stall for=2s", "at=4s stall=up for=1s"],
        async |mut scene| {
            let mut pair = scene.connect();
            scene.at(1100).await;
            pair.client.write_all(b"one").await.unwrap();
            pair.client.write_all(b"2").await.unwrap();
            pair.broker.write_all(b"down").await.unwrap();
            assert_eq!(next(&mut pair.broker).await, b"one2");
            assert_eq!(scene.now(), 3000);
            assert_eq!(next(&mut pair.client).await, b"down");
            // A connection made meanwhile suffers as well, and here one way only.
            scene.at(4100).await;
            let mut late = scene.connect();
            late.client.write_all(b"up").await.unwrap();
            late.broker.write_all(b"down").await.unwrap();
            assert_eq!(next(&mut late.client).await, b"down");
            assert_eq!(scene.now(), 4100);
            assert_eq!(next(&mut late.broker).await, b"up");
            assert_eq!(scene.now(), 5000);
            assert_eq!(scene.strikes.so_far()[1].hit, 2);
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_delayed_comes_in_its_order_within_the_jitter() {
    suffering(&["at=0s delay=20ms jitter=15ms"], async |mut scene| {
        let mut pair = scene.connect();
        scene.at(10).await;
        let mut sent = Vec::new();
        let mut came = Vec::new();
        for number in 0..200_u8 {
            let turn = 10 + u64::from(number);
            while let Ok(bytes) = timeout(
                (scene.start + Duration::from_millis(turn)).duration_since(Instant::now()),
                next(&mut pair.broker),
            )
            .await
            {
                came.extend(bytes.iter().map(|byte| (*byte, scene.now())));
            }
            sent.push(scene.now());
            pair.client.write_all(&[number]).await.unwrap();
        }
        while came.len() < 200 {
            let bytes = next(&mut pair.broker).await;
            came.extend(bytes.iter().map(|byte| (*byte, scene.now())));
        }
        let order: Vec<u8> = came.iter().map(|(byte, _)| *byte).collect();
        assert_eq!(order, (0..200).collect::<Vec<u8>>());
        let late: Vec<u64> = came
            .iter()
            .map(|(byte, at)| at - sent[usize::from(*byte)])
            .collect();
        // The timer rounds up to a millisecond.
        assert!(late.iter().all(|late| (5..=36).contains(late)), "{late:?}");
        assert!(late.iter().min() != late.iter().max(), "no jitter");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn of_a_half_open_connection_neither_end_hears_again_and_only_the_client_can_end_it() {
    suffering(&["at=1s half-open=1"], async |mut scene| {
        let mut pair = scene.connect();
        scene.at(1100).await;
        pair.client.write_all(b"lost").await.unwrap();
        pair.broker.write_all(b"lost").await.unwrap();
        assert!(is_quiet(&mut pair.broker).await);
        drop(pair.broker);
        assert!(is_quiet(&mut pair.client).await, "no FIN either");
        assert_eq!(scene.strikes.on(address(1)), Some(0));
        // A new connection is a good one.
        let mut new = scene.connect();
        new.client.write_all(b"here").await.unwrap();
        assert_eq!(next(&mut new.broker).await, b"here");
        let mut dying = scene.connect();
        dying.client.write_all(b"here").await.unwrap();
        assert_eq!(next(&mut dying.broker).await, b"here");
    })
    .await;
    suffering(&["at=1s half-open"], async |mut scene| {
        let mut pair = scene.connect();
        scene.at(1100).await;
        drop(pair.client);
        assert_eq!(next(&mut pair.broker).await, b"");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bandwidth_holds_in_each_direction() {
    suffering(&["at=0s rate=1000"], async |mut scene| {
        let mut pair = scene.connect();
        scene.at(1).await;
        pair.client.write_all(&[1; 2000]).await.unwrap();
        let mut all = vec![0; 2000];
        pair.broker.read_exact(&mut all).await.unwrap();
        let took = scene.now();
        assert!((1900..=2300).contains(&took), "{took}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_comes_again_and_none_lasts_longer_than_the_load() {
    suffering(
        &["at=1s cut=1 every=2s", "at=4s stall for=100s"],
        async |mut scene| {
            let pairs: Vec<Pair> = (0..5).map(|_| scene.connect()).collect();
            scene.at(6000).await;
            let strikes = scene.strikes.so_far();
            let told: Vec<(usize, u64, u64, u64)> = strikes
                .iter()
                .map(|one| (one.fault, one.began.as_secs(), one.open, one.hit))
                .collect();
            assert_eq!(
                told,
                [(0, 1, 5, 1), (0, 3, 4, 1), (1, 4, 3, 3), (0, 5, 3, 1)]
            );
            assert_eq!(strikes[2].ended, None);
            scene.links.calm(Duration::from_secs(6));
            assert_eq!(
                scene.strikes.so_far()[2].ended,
                Some(Duration::from_secs(6))
            );
            drop(pairs);
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_may_be_for_some_kind_of_clients_only() {
    suffering(&["at=1s cut for=1s of=subscribers"], async |mut scene| {
        let mut publisher = scene.connect();
        let mut subscriber = scene.connect_as(Clientele::Subscribers);
        scene.at(1500).await;
        assert!(scene.links.refuses(Clientele::Subscribers));
        assert!(!scene.links.refuses(Clientele::Publishers));
        assert_eq!(next(&mut subscriber.client).await, b"");
        assert!(is_quiet(&mut publisher.client).await);
        let strike = scene.strikes.so_far()[0];
        assert_eq!((strike.open, strike.hit), (1, 1));
    })
    .await;
}
