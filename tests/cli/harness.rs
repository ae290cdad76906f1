//! A small language for running programs and checking everything they say.
//!
//! `Mqtt::new(["pub", "-t", "a", "-m", "b"]).run()` runs the binary under test and fails unless it ends with
//! status 0 and prints nothing at all; `.stdout(..)`, `.stderr(..)` and `.status(..)` say what else is expected.
//! `.start()` leaves the program running. Nothing here sleeps: it waits for a line, an exit or a count,
//! and when that does not come within [`PATIENCE`] the test fails with everything that was seen.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long any awaited fact may take before the test fails. Far more than needed: a busy machine is no fault.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often an exit is looked for, which no condition variable can announce.
const POLL: Duration = Duration::from_millis(5);

/// A program about to be run, with what is expected of it.
pub struct Mqtt {
    command: Command,
    stdin: Stdin,
    stdout: Expected,
    stderr: Expected,
    status: i32,
    is_group: bool,
}

enum Stdin {
    Empty,
    Bytes(Vec<u8>),
    Open,
}

enum Expected {
    Exactly(Vec<u8>),
    Like(Box<dyn Fn(&str) -> bool>),
    Anything,
}

impl Mqtt {
    /// The binary under test with these arguments, and none of this machine's MQTT settings in its environment.
    pub fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Mqtt {
        Mqtt::program(env!("CARGO_BIN_EXE_mqtt"), arguments)
    }

    /// Another program, checked in the same way. A program that is not installed fails the test.
    pub fn program<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Mqtt {
        let mut command = Command::new(program);
        command.args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MQTT_") {
                command.env_remove(&name);
            }
        }
        for name in [
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "RUST_LOG",
            "ALL_PROXY",
            "all_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "http_proxy",
            "SSLKEYLOGFILE",
        ] {
            command.env_remove(name);
        }
        Mqtt {
            command,
            stdin: Stdin::Empty,
            stdout: Expected::Exactly(Vec::new()),
            stderr: Expected::Exactly(Vec::new()),
            status: 0,
            is_group: false,
        }
    }

    /// Lines for `bash`, in which `mqtt` is the binary under test; a failing line or pipe member ends the script.
    pub fn shell(script: &str) -> Mqtt {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_mqtt"));
        let mut path = binary
            .parent()
            .expect("a binary lies in a folder")
            .as_os_str()
            .to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut shell = Mqtt::program("bash", ["-euo", "pipefail", "-c", script]);
        // What a script leaves running in the background goes with it.
        shell.command.process_group(0);
        shell.is_group = true;
        shell.env("PATH", path)
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Mqtt {
        self.command.env(name, value);
        self
    }

    /// Sets the folder the program runs in.
    pub fn directory(mut self, directory: impl AsRef<std::path::Path>) -> Mqtt {
        self.command.current_dir(directory);
        self
    }

    /// What the program reads, closed after it.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Mqtt {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Leaves stdin open for [`Running::write`].
    pub fn stdin_open(mut self) -> Mqtt {
        self.stdin = Stdin::Open;
        self
    }

    /// The whole of stdout, byte for byte; nothing unless said.
    pub fn stdout(mut self, expected: impl Into<Vec<u8>>) -> Mqtt {
        self.stdout = Expected::Exactly(expected.into());
        self
    }

    /// What stdout must satisfy, where a part of it cannot be known.
    pub fn stdout_like(mut self, test: impl Fn(&str) -> bool + 'static) -> Mqtt {
        self.stdout = Expected::Like(Box::new(test));
        self
    }

    /// Words that stdout must contain.
    pub fn stdout_contains(self, words: &'static str) -> Mqtt {
        self.stdout_like(move |text| text.contains(words))
    }

    /// Leaves stdout to the test, which looks at it itself.
    pub fn stdout_any(mut self) -> Mqtt {
        self.stdout = Expected::Anything;
        self
    }

    /// The whole of stderr; nothing unless said.
    pub fn stderr(mut self, expected: impl Into<Vec<u8>>) -> Mqtt {
        self.stderr = Expected::Exactly(expected.into());
        self
    }

    /// What stderr must satisfy, where a part of it cannot be known.
    pub fn stderr_like(mut self, test: impl Fn(&str) -> bool + 'static) -> Mqtt {
        self.stderr = Expected::Like(Box::new(test));
        self
    }

    /// Words that stderr must contain.
    pub fn stderr_contains(self, words: &'static str) -> Mqtt {
        self.stderr_like(move |text| text.contains(words))
    }

    /// Leaves stderr to the test, which looks at it itself.
    pub fn stderr_any(mut self) -> Mqtt {
        self.stderr = Expected::Anything;
        self
    }

    /// The exit status, 0 unless said; a program ended by signal n counts as 128 + n, as in a shell.
    pub fn status(mut self, status: i32) -> Mqtt {
        self.status = status;
        self
    }

    /// Runs the program to its end and checks all three.
    #[track_caller]
    pub fn run(mut self) -> Finished {
        let stdout = std::mem::replace(&mut self.stdout, Expected::Anything);
        let stderr = std::mem::replace(&mut self.stderr, Expected::Anything);
        let status = self.status;
        let mut running = self.start();
        let finished = running.wait();
        let said = finished.stdout_text();
        let complaint = if finished.status != status {
            Some(format!("expected status {status}"))
        } else if let Some(expected) = stderr.broken_by(finished.stderr.as_bytes()) {
            Some(format!("stderr is not as expected{expected}"))
        } else {
            stdout
                .broken_by(&finished.stdout)
                .map(|expected| format!("stdout is not as expected{expected}"))
        };
        if let Some(complaint) = complaint {
            let Finished { status, stderr, .. } = &finished;
            panic!(
                "{complaint}\n--- {}\n--- status {status}\n--- stdout\n{said}\n--- stderr\n{stderr}\n---",
                running.name
            );
        }
        finished
    }

    /// Starts the program; it is killed when the returned value is dropped.
    #[track_caller]
    pub fn start(mut self) -> Running {
        let name = format!("{:?}", self.command);
        self.command
            .stdin(match self.stdin {
                Stdin::Empty => Stdio::null(),
                Stdin::Bytes(_) | Stdin::Open => Stdio::piped(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| {
            panic!("could not run {name}: {error}; tests/setup installs what the tests need")
        });
        let seen = Arc::new(Seen::default());
        seen.collect(child.stdout.take().expect("stdout is a pipe"), Stream::Out);
        seen.collect(
            child.stderr.take().expect("stderr is a pipe"),
            Stream::Error,
        );
        let mut stdin = child.stdin.take();
        if let Stdin::Bytes(bytes) = self.stdin {
            let mut stdin = stdin.take().expect("stdin is a pipe");
            // A program that ends before it has read everything closes the pipe; that is for the test to judge.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        Running {
            name,
            child,
            stdin,
            seen,
            status: None,
            is_group: self.is_group,
            lines_taken: [0, 0],
        }
    }
}

impl Expected {
    /// `None` when the output is as expected, else what was expected as far as it can be shown.
    fn broken_by(&self, output: &[u8]) -> Option<String> {
        match self {
            Expected::Exactly(expected) if expected != output => {
                Some(format!(":\n{}\n---", String::from_utf8_lossy(expected)))
            }
            Expected::Like(test) if !test(&String::from_utf8_lossy(output)) => Some(String::new()),
            _ => None,
        }
    }
}

/// A finished program: its status and everything it printed.
#[derive(Debug)]
pub struct Finished {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// stdout as text, for people.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// One of a program's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Error,
}

/// What a program has printed so far, and how many of its outputs are closed.
#[derive(Default)]
struct Seen {
    printed: Mutex<Printed>,
    changed: Condvar,
}

#[derive(Default)]
struct Printed {
    bytes: [Vec<u8>; 2],
    closed: usize,
}

impl Seen {
    fn collect(self: &Arc<Seen>, mut pipe: impl Read + Send + 'static, stream: Stream) {
        let seen = Arc::clone(self);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let count = pipe.read(&mut buffer).unwrap_or(0);
                let mut printed = seen.so_far();
                printed.bytes[stream as usize].extend_from_slice(&buffer[..count]);
                printed.closed += usize::from(count == 0);
                seen.changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
    }

    fn so_far(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        printed: MutexGuard<'a, Printed>,
        most: Duration,
    ) -> MutexGuard<'a, Printed> {
        let waited = self.changed.wait_timeout(printed, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A running program; killed when dropped.
pub struct Running {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    seen: Arc<Seen>,
    status: Option<i32>,
    is_group: bool,
    /// Where the next line to look at begins, in stdout and in stderr.
    lines_taken: [usize; 2],
}

impl Running {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it has had, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let peak = line.and_then(|line| line.split_whitespace().nth(1));
        peak.unwrap().parse().unwrap()
    }

    /// Waits for the next line of stdout that passes the test, and returns it. Lines before it are passed over.
    #[track_caller]
    pub fn wait_for_stdout(&mut self, test: impl Fn(&str) -> bool) -> String {
        self.wait_for_line(Stream::Out, test)
    }

    /// Waits for the next line of stderr that passes the test, and returns it. Lines before it are passed over.
    #[track_caller]
    pub fn wait_for_stderr(&mut self, test: impl Fn(&str) -> bool) -> String {
        self.wait_for_line(Stream::Error, test)
    }

    /// Waits for the next line of stdout; `false` when the program has ended without one.
    #[track_caller]
    pub fn try_wait_for_stdout(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let seen = Arc::clone(&self.seen);
        let mut printed = seen.so_far();
        loop {
            let from = &mut self.lines_taken[0];
            if let Some(length) = printed.bytes[0][*from..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                *from += length + 1;
                return true;
            }
            if printed.closed == 2 {
                return false;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(printed);
                self.fail("no line came");
            }
            printed = seen.wait(printed, left);
        }
    }

    #[track_caller]
    fn wait_for_line(&mut self, stream: Stream, test: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let seen = Arc::clone(&self.seen);
        let mut printed = seen.so_far();
        loop {
            let from = &mut self.lines_taken[stream as usize];
            let bytes = &printed.bytes[stream as usize];
            while let Some(length) = bytes[*from..].iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&bytes[*from..*from + length]).into_owned();
                *from += length + 1;
                if test(&line) {
                    return line;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || printed.closed == 2 {
                drop(printed);
                self.fail(&format!("the awaited line did not come on {stream:?}"));
            }
            printed = seen.wait(printed, left);
        }
    }

    /// Waits until these bytes stand somewhere in stdout, with or without a line's end after them.
    #[track_caller]
    pub fn wait_for_output(&mut self, words: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        let seen = Arc::clone(&self.seen);
        let mut printed = seen.so_far();
        while !printed.bytes[0]
            .windows(words.len())
            .any(|window| window == words)
        {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || printed.closed == 2 {
                drop(printed);
                self.fail(&format!(
                    "{:?} did not come",
                    String::from_utf8_lossy(words)
                ));
            }
            printed = seen.wait(printed, left);
        }
    }

    /// Everything printed on stdout until now.
    pub fn stdout(&self) -> Vec<u8> {
        self.seen.so_far().bytes[0].clone()
    }

    /// Everything printed on stderr until now.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.seen.so_far().bytes[1]).into_owned()
    }

    /// Writes to the program's stdin, which [`Mqtt::stdin_open`] left open.
    #[track_caller]
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("stdin was left open");
        stdin.write_all(bytes.as_ref()).expect("it reads its stdin");
        stdin.flush().expect("a pipe needs no flush");
    }

    /// Ends the program's stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal by its name, such as `TERM`, `INT`, `STOP` or `CONT`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        assert!(self.status.is_none(), "{} has ended already", self.name);
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .expect("kill is part of every system");
        assert!(sent.success(), "could not send {name} to {}", self.name);
    }

    /// Cuts the program off: no farewell, no flush.
    #[track_caller]
    pub fn kill(&mut self) -> Finished {
        self.signal("KILL");
        self.wait()
    }

    /// Sends a signal and waits for the end.
    #[track_caller]
    pub fn stop(&mut self, signal: &str) -> Finished {
        self.signal(signal);
        self.wait()
    }

    /// `true` while the program has not ended.
    pub fn is_running(&mut self) -> bool {
        self.look_for_exit();
        self.status.is_none()
    }

    /// Waits until the program ends and everything it printed is here.
    #[track_caller]
    pub fn wait(&mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        let seen = Arc::clone(&self.seen);
        let mut printed = seen.so_far();
        loop {
            self.look_for_exit();
            if let (Some(status), 2) = (self.status, printed.closed) {
                return Finished {
                    status,
                    stdout: printed.bytes[0].clone(),
                    stderr: String::from_utf8_lossy(&printed.bytes[1]).into_owned(),
                };
            }
            if Instant::now() > deadline {
                drop(printed);
                self.fail("it does not end");
            }
            printed = seen.wait(printed, POLL);
        }
    }

    fn look_for_exit(&mut self) {
        if self.status.is_none() {
            let ended = self.child.try_wait().expect("a child can be waited for");
            self.status = ended.map(|status| {
                let signal = status.signal().map(|signal| 128 + signal);
                status
                    .code()
                    .or(signal)
                    .expect("ended, one way or the other")
            });
        }
    }

    #[track_caller]
    fn fail(&mut self, complaint: &str) -> ! {
        self.look_for_exit();
        let (stdout, stderr) = (self.stdout(), self.stderr());
        panic!(
            "{complaint}\n--- {}\n--- status {:?}\n--- stdout\n{}\n--- stderr\n{stderr}\n---",
            self.name,
            self.status,
            String::from_utf8_lossy(&stdout),
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_group {
            let group = format!("-{}", self.child.id());
            let kill = Command::new("kill")
                .args(["-s", "KILL", "--", &group])
                .stderr(Stdio::null())
                .status();
            drop(kill);
        }
        if self.status.is_none() {
            // Already gone is as good as killed.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Looks again and again until the fact holds, and returns what it found. For facts nobody announces.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::park_timeout(POLL);
    }
}
