//! The open files of this process: how many it may have, and room for them before they are needed. Each connection is one.

/// The most this process may have open at once; `None` where it is not told or has no limit.
#[cfg(unix)]
pub fn allowed() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current
}

/// Raises the limit as far as the system allows without asking.
#[cfg(unix)]
pub fn allow() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If it is refused, what it was has to do.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Makes room for so many, as far as they are allowed.
///
/// Linux doubles its table of them when it is full, at 256, 512, 1024 and so on, and a process with several threads waits 10 to
/// 25 ms for that each time: whoever opens a connection then is late. Opening the last one first has the table made at once.
#[cfg(unix)]
pub fn make_room(count: u64) {
    let most = allowed().unwrap_or(u64::MAX).min(count);
    if let Ok(last @ 1..) = i32::try_from(most.saturating_sub(1)) {
        // It closes again at once. Where this fails, the table grows as it would have.
        let _ = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), last);
    }
}

/// Not told here.
#[cfg(not(unix))]
pub fn allowed() -> Option<u64> {
    None
}

/// There is no such limit here.
#[cfg(not(unix))]
pub fn allow() {}

/// There is no such table here.
#[cfg(not(unix))]
pub fn make_room(_: u64) {}
