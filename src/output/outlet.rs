//! Writing without holding up a connection: a pipe whose reader is slow makes the writer wait, and a broker drops a client
//! that is not heard of meanwhile.
//!
//! What can be written without waiting is written at once. Only the rest goes to a thread, because to wake one and be woken
//! by it costs many times a small write.

use std::io::{self, Write};

use tokio::task::JoinHandle;

use super::{FULL, Output, Unwritable};

/// A writer, in practice stdout, and what is to be written to it.
pub struct Outlet<W> {
    /// To be filled; [`Outlet::flush`] empties it.
    pub buffer: Vec<u8>,
    pen: Pen<W>,
    room: Room,
}

/// How many bytes a writer takes without waiting.
type Room = Box<dyn Fn() -> usize + Send>;

enum Pen<W> {
    Idle(Output<W>),
    Writing(JoinHandle<(Output<W>, Result<(), Unwritable>)>),
    /// Only within [`Outlet::flush`].
    Lifted,
}

impl Outlet<io::Stdout> {
    /// Nothing to be written yet.
    pub fn stdout() -> Outlet<io::Stdout> {
        Outlet::new(io::stdout(), stdout_room())
    }
}

impl<W: Write + Send + 'static> Outlet<W> {
    /// Nothing to be written yet to a writer that takes so much without waiting, by its own account each time.
    fn new(writer: W, room: Room) -> Outlet<W> {
        Outlet {
            buffer: Vec::new(),
            pen: Pen::Idle(Output::new(writer)),
            room,
        }
    }

    /// Whether so much has come together that it should be written.
    pub fn is_full(&self) -> bool {
        self.buffer.len() >= FULL
    }

    /// Returns when everything is written. When this is cancelled, what was begun is written all the same, and the next call
    /// waits for it.
    ///
    /// # Errors
    /// When the reader has left or the writer fails.
    pub async fn flush(&mut self) -> Result<(), Unwritable> {
        loop {
            if let Pen::Writing(writing) = &mut self.pen {
                let (output, outcome) = match writing.await {
                    Ok(written) => written,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                };
                self.pen = Pen::Idle(output);
                outcome?;
            }
            if self.buffer.is_empty() {
                return Ok(());
            }
            if let Pen::Idle(mut output) = std::mem::replace(&mut self.pen, Pen::Lifted) {
                let outcome = write_at_once(&mut output, &mut self.buffer, &self.room);
                if outcome.is_err() || self.buffer.is_empty() {
                    self.pen = Pen::Idle(output);
                    return outcome;
                }
                std::mem::swap(&mut output.buffer, &mut self.buffer);
                self.pen = Pen::Writing(tokio::task::spawn_blocking(move || {
                    let outcome = output.flush();
                    (output, outcome)
                }));
            }
        }
    }
}

/// Takes from the buffer what can be written without waiting.
fn write_at_once<W: Write>(
    output: &mut Output<W>,
    buffer: &mut Vec<u8>,
    room: &Room,
) -> Result<(), Unwritable> {
    let mut written = 0;
    while written < buffer.len() {
        let room = room();
        if room == 0 {
            break;
        }
        let end = buffer.len().min(written.saturating_add(room));
        // Standard output would write the beginning of a line for itself.
        let line = memchr::memrchr(b'\n', &buffer[written..end]);
        let end = line.map_or(end, |index| written + index + 1);
        output.buffer.extend_from_slice(&buffer[written..end]);
        output.flush()?;
        written = end;
    }
    buffer.drain(..written);
    buffer.shrink_to(4 * FULL);
    Ok(())
}

/// A file never waits. A pipe says that there is room when it takes so much as a whole. A terminal says so when it takes a
/// little, so that it is left to the thread.
#[cfg(unix)]
fn stdout_room() -> Room {
    use std::io::IsTerminal;
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// What a pipe takes at least when there is room (PIPE_BUF, which POSIX has no less).
    const WHOLE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };
    let stdout = io::stdout();
    let file = stdout.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let is_file = file.is_ok_and(|file| file.metadata().is_ok_and(|about| about.is_file()));
    if is_file {
        return Box::new(|| usize::MAX);
    }
    if stdout.is_terminal() {
        return Box::new(|| 0);
    }
    Box::new(move || {
        let mut place = [PollFd::new(&stdout, PollFlags::OUT)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let is_ready = poll(&mut place, Some(&at_once)).is_ok_and(|count| count > 0);
        if is_ready { WHOLE } else { 0 }
    })
}

/// Nobody says.
#[cfg(not(unix))]
fn stdout_room() -> Room {
    Box::new(|| 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::mpsc;

    /// Writes nothing before it is told to.
    struct Slow(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.1.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_slow_reader_holds_up_nobody_else_and_misses_nothing() {
        let ((go, may_go), (written_in, written)) = (mpsc::channel(), mpsc::channel());
        let mut outlet = Outlet::new(Slow(may_go, written_in), Box::new(|| 0));
        outlet.buffer.extend(b"one");
        // Others have their turn, and whoever has waited long enough leaves.
        tokio::select! {
            biased;
            _ = outlet.flush() => panic!("nobody has let it write"),
            () = tokio::task::yield_now() => {}
        }
        outlet.buffer.extend(b"two");
        go.send(()).unwrap();
        go.send(()).unwrap();
        outlet.flush().await.unwrap();
        let written: Vec<Vec<u8>> = written.try_iter().collect();
        assert_eq!(written, [b"one", b"two"]);
        drop(go);
        outlet.buffer.extend(b"three");
        assert!(matches!(outlet.flush().await, Err(Unwritable::Closed)));
    }

    #[test]
    fn what_needs_no_waiting_is_written_at_once_in_whole_lines_and_the_rest_is_kept() {
        let rooms = std::sync::Mutex::new(vec![0, 7, 5]);
        let room: Room = Box::new(move || rooms.lock().unwrap().pop().unwrap());
        let mut output = Output::new(Vec::new());
        let mut buffer = b"one\ntwo\nthree is long\n".to_vec();
        write_at_once(&mut output, &mut buffer, &room).unwrap();
        // Five bytes have one line in them, seven more one, and then there is no room.
        assert_eq!(output.writer, b"one\ntwo\n");
        assert_eq!(buffer, b"three is long\n");
        let all: Room = Box::new(|| usize::MAX);
        write_at_once(&mut output, &mut buffer, &all).unwrap();
        assert_eq!(output.writer, b"one\ntwo\nthree is long\n");
        assert!(buffer.is_empty());
    }
}
