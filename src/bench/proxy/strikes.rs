//! What the faults did, for whoever is on other threads: which connections each one hit, and when it began and ended.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One time a fault happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// Which fault, by its place in the plan.
    pub fault: usize,
    /// When it began, from the start of the load.
    pub began: Duration,
    /// When it ended; `None` while it lasts.
    pub ended: Option<Duration>,
    /// Connections that it could have hit when it began.
    pub open: u64,
    /// Those of them it hit, and those made later that it hit.
    pub hit: u64,
}

/// All strikes of a run.
#[derive(Debug, Default)]
pub struct Strikes(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    strikes: Vec<Strike>,
    /// By the address of a client's end the strikes that hit it, in the order of time.
    hit: HashMap<SocketAddr, Vec<usize>>,
}

impl Strikes {
    /// What happened so far.
    pub fn so_far(&self) -> Vec<Strike> {
        self.book().strikes.clone()
    }

    /// Which strike, by its number, hit the connection from this address last; `None` when none did.
    pub fn on(&self, client: SocketAddr) -> Option<usize> {
        self.book().hit.get(&client)?.last().copied()
    }

    /// The faults that have hit the connection from this address, by their place in the plan.
    pub fn faults_on(&self, client: SocketAddr) -> Vec<usize> {
        let book = self.book();
        let hit = book.hit.get(&client).into_iter().flatten();
        hit.map(|strike| book.strikes[*strike].fault).collect()
    }

    /// The last strike, by its number, of one of the faults that are meant that was on at some time since this moment.
    pub fn since(&self, moment: Duration, is_meant: impl Fn(usize) -> bool) -> Option<usize> {
        let book = self.book();
        book.strikes.iter().rposition(|strike| {
            is_meant(strike.fault) && strike.ended.is_none_or(|ended| ended >= moment)
        })
    }

    pub(super) fn begin(&self, strike: Strike) -> usize {
        let strikes = &mut self.book().strikes;
        strikes.push(strike);
        strikes.len() - 1
    }

    pub(super) fn hit(&self, strike: usize, client: SocketAddr) {
        let mut book = self.book();
        book.strikes[strike].hit += 1;
        book.hit.entry(client).or_default().push(strike);
    }

    pub(super) fn end(&self, strike: usize, now: Duration) {
        self.book().strikes[strike].ended = Some(now);
    }

    /// A new connection comes from an address that another had before.
    pub(super) fn forget(&self, client: SocketAddr) {
        self.book().hit.remove(&client);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
