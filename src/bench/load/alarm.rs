//! A timer for pacing. Tokio's is one millisecond coarse, far more than a message takes through a broker; one
//! `timerfd` per thread, shared by all its publishers, is some microseconds late. Elsewhere than on Linux it is
//! Tokio's after all, and the send delay in the report shows it.
//!
//! Deadlines closer together than [`SPACING`] share one wake-up, so a thread wakes at most 20,000 times a second
//! however high the rate; what is due by then is sent together.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The shortest time from one wake-up to the next.
const SPACING: Duration = Duration::from_micros(50);

/// The timer of one thread. [`Alarm::run`] must run beside those who wait.
pub struct Alarm {
    timer: Timer,
    sleepers: Mutex<Sleepers>,
}

#[derive(Default)]
struct Sleepers {
    /// The earliest deadline on top.
    queue: BinaryHeap<Sleeper>,
    /// What the timer is set to.
    armed: Option<Instant>,
    last_ring: Option<Instant>,
}

struct Sleeper {
    deadline: Instant,
    waker: Waker,
}

impl Alarm {
    /// A timer on the current runtime.
    ///
    /// # Errors
    /// When the system has no timer or descriptor left.
    pub fn new() -> io::Result<Alarm> {
        Ok(Alarm {
            timer: Timer::new()?,
            sleepers: Mutex::default(),
        })
    }

    /// Ready from `deadline` on. `registered` is the sleeper's own memory between polls: `None` at first.
    pub fn poll(
        &self,
        deadline: Instant,
        registered: &mut Option<Instant>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if Instant::now() >= deadline {
            *registered = None;
            return Poll::Ready(());
        }
        if *registered != Some(deadline) {
            *registered = Some(deadline);
            let mut sleepers = self.sleepers();
            sleepers.queue.push(Sleeper {
                deadline,
                waker: context.waker().clone(),
            });
            self.arm(&mut sleepers);
        }
        Poll::Pending
    }

    /// Wakes the sleepers, for ever.
    ///
    /// # Errors
    /// When the timer fails.
    pub async fn run(&self) -> io::Result<()> {
        loop {
            self.timer.ring().await?;
            let mut sleepers = self.sleepers();
            let now = Instant::now();
            sleepers.armed = None;
            sleepers.last_ring = Some(now);
            while sleepers
                .queue
                .peek()
                .is_some_and(|sleeper| sleeper.deadline <= now)
            {
                if let Some(sleeper) = sleepers.queue.pop() {
                    sleeper.waker.wake();
                }
            }
            self.arm(&mut sleepers);
        }
    }

    /// Sets the timer to the earliest deadline, unless it rings before that anyway.
    fn arm(&self, sleepers: &mut Sleepers) {
        let Some(earliest) = sleepers.queue.peek().map(|sleeper| sleeper.deadline) else {
            return;
        };
        let at = match sleepers.last_ring {
            Some(last) => earliest.max(last + SPACING),
            None => earliest,
        };
        if sleepers.armed.is_none_or(|armed| at < armed) {
            sleepers.armed = Some(at);
            self.timer.set(at.saturating_duration_since(Instant::now()));
        }
    }

    fn sleepers(&self) -> std::sync::MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ord for Sleeper {
    /// The earlier deadline is the greater one, for the heap.
    fn cmp(&self, other: &Sleeper) -> Ordering {
        other.deadline.cmp(&self.deadline)
    }
}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Sleeper) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Sleeper) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Sleeper {}

#[cfg(target_os = "linux")]
struct Timer(tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

#[cfg(target_os = "linux")]
impl Timer {
    fn new() -> io::Result<Timer> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use tokio::io::{Interest, unix::AsyncFd};

        let descriptor = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        // Deprecated because a type could hand out a descriptor it does not own; OwnedFd owns its own.
        #[allow(deprecated)]
        let registered = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        Ok(Timer(registered))
    }

    /// Rings once, `after` this time; a time set before is forgotten.
    fn set(&self, after: Duration) {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        // A time of 0 would switch it off.
        let after = after.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec {
                tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: after.subsec_nanos().into(),
            },
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)
            .expect("an open timer takes any time from now");
    }

    async fn ring(&self) -> io::Result<()> {
        // The expiration count need not be read: setting the timer anew clears it, and readiness is told by edges.
        self.0.readable().await?.clear_ready();
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
struct Timer {
    deadline: tokio::sync::watch::Sender<Option<tokio::time::Instant>>,
}

#[cfg(not(target_os = "linux"))]
impl Timer {
    fn new() -> io::Result<Timer> {
        Ok(Timer {
            deadline: tokio::sync::watch::Sender::new(None),
        })
    }

    fn set(&self, after: Duration) {
        self.deadline
            .send_replace(Some(tokio::time::Instant::now() + after));
    }

    async fn ring(&self) -> io::Result<()> {
        let mut changes = self.deadline.subscribe();
        loop {
            let deadline = *changes.borrow_and_update();
            let rings = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = rings => {
                    self.deadline.send_replace(None);
                    return Ok(());
                }
                _ = changes.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_deadlines_and_never_early() {
        let alarm = Arc::new(Alarm::new().unwrap());
        let running = tokio::spawn({
            let alarm = Arc::clone(&alarm);
            async move { alarm.run().await }
        });
        let start = Instant::now();
        let (woken, mut order) = tokio::sync::mpsc::unbounded_channel();
        for ms in [30, 10, 20, 0, 10] {
            let (alarm, woken) = (Arc::clone(&alarm), woken.clone());
            tokio::spawn(async move {
                let deadline = start + Duration::from_millis(ms);
                let mut registered = None;
                poll_fn(|context| alarm.poll(deadline, &mut registered, context)).await;
                woken.send((ms, Instant::now() >= deadline)).unwrap();
            });
        }
        for ms in [0, 10, 10, 20, 30] {
            assert_eq!(order.recv().await, Some((ms, true)));
        }
        running.abort();
    }
}
