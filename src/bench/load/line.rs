//! The stream of a lean connection: read and written without waiting, and waited for in one place.
//!
//! Over bare TCP that is what the socket does by itself, and an idle connection is no more than its socket. Over TLS or
//! WebSocket what can be read is only known by reading, so the wait reads ahead.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::client::transport::Stream;

/// How much is read ahead at a time.
const AHEAD: usize = 16 * 1024;

/// One connection's stream.
#[derive(Debug)]
pub(super) enum Line {
    Tcp(TcpStream),
    Other(Box<Other>),
}

/// A stream whose readiness shows by use only.
#[derive(Debug)]
pub(super) struct Other {
    stream: Stream,
    /// What was read while waiting, and from where on nobody has taken it.
    ahead: Vec<u8>,
    taken: usize,
    /// The other side has ended it.
    ended: bool,
    /// Something that was written is still in the stream.
    unflushed: bool,
}

impl Line {
    pub(super) fn new(stream: Stream) -> Line {
        match stream {
            Stream::Tcp(socket) => Line::Tcp(socket),
            stream => Line::Other(Box::new(Other {
                stream,
                ahead: Vec::new(),
                taken: 0,
                ended: false,
                unflushed: false,
            })),
        }
    }

    /// Reads what is there; [`io::ErrorKind::WouldBlock`] when nothing is, 0 at the end.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Tcp(socket) => socket.try_read(buffer),
            Line::Other(other) => other.try_read(buffer),
        }
    }

    /// Writes as much as goes; [`io::ErrorKind::WouldBlock`] when nothing does.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Line::Tcp(socket) => socket.try_write(bytes),
            Line::Other(other) => other.try_write(bytes),
        }
    }

    /// The reader has taken all there is: that spares the read that would only find that out. Whatever arrives from here
    /// on raises a new event.
    pub(super) fn is_empty(&mut self) {
        if let Line::Tcp(socket) = self {
            let empty = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = socket.try_io(Interest::READABLE, empty);
        }
    }

    /// Waits until it can be read, or written if `interest` says so; it may turn out that it cannot.
    pub(super) async fn ready(&mut self, interest: Interest) -> io::Result<()> {
        match self {
            Line::Tcp(socket) => socket.ready(interest).await.map(|_| ()),
            Line::Other(other) => poll_fn(|context| other.poll_ready(interest, context)).await,
        }
    }
}

impl Other {
    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ahead.len() && !self.ended {
            let mut context = Context::from_waker(Waker::noop());
            let mut space = ReadBuf::new(buffer);
            return match Pin::new(&mut self.stream).poll_read(&mut context, &mut space) {
                Poll::Ready(read) => read.map(|()| space.filled().len()),
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let count = buffer.len().min(self.ahead.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ahead[self.taken..self.taken + count]);
        self.taken += count;
        if self.taken == self.ahead.len() {
            (self.ahead, self.taken) = (Vec::new(), 0);
        }
        Ok(count)
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.stream).poll_write(&mut context, bytes) {
            Poll::Ready(written) => {
                let count = written?;
                self.unflushed = true;
                if let Poll::Ready(flushed) = self.poll_flush(&mut context) {
                    flushed?;
                }
                Ok(count)
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.unflushed = false;
        }
        flushed
    }

    fn poll_ready(
        &mut self,
        interest: Interest,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unflushed || interest.is_writable() {
            match self.poll_flush(context) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if interest.is_writable() => return Poll::Ready(Ok(())),
                _ => {}
            }
        }
        if self.taken < self.ahead.len() || self.ended {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; AHEAD];
        let mut space = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.stream).poll_read(context, &mut space) {
            Poll::Ready(Ok(())) => {
                self.ended = space.filled().is_empty();
                self.ahead = space.filled().to_vec();
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}
