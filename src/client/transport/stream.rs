//! A connected byte stream, whatever it runs over.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::tls::TlsStream;
use super::websocket::Frames;

/// A connection to a broker. What is written may stay in it until it is flushed.
///
/// A plain socket is no larger than that: a load tester holds thousands of them.
#[derive(Debug)]
pub enum Stream {
    /// TCP, without delay.
    Tcp(TcpStream),
    /// A unix stream socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS over another stream.
    Tls(Box<TlsStream>),
    /// WebSocket over another stream.
    WebSocket(Box<Frames>),
}

impl Stream {
    /// Our end of the TCP connection; `None` where there is none below.
    pub fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(socket) => socket.local_addr().ok(),
            #[cfg(unix)]
            Stream::Unix(_) => None,
            Stream::Tls(stream) => stream.get_ref().0.local_address(),
            Stream::WebSocket(frames) => frames.below().local_address(),
        }
    }
}

/// Connects to a unix socket.
///
/// # Errors
/// Why not.
#[cfg(unix)]
pub async fn unix(path: &str) -> io::Result<Stream> {
    UnixStream::connect(path).await.map(Stream::Unix)
}

/// There are none.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub async fn unix(_: &str) -> io::Result<Stream> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no unix sockets",
    ))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(socket) => Pin::new(socket).poll_read(context, buffer),
            #[cfg(unix)]
            Stream::Unix(socket) => Pin::new(socket).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::WebSocket(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(socket) => Pin::new(socket).poll_write(context, bytes),
            #[cfg(unix)]
            Stream::Unix(socket) => Pin::new(socket).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::WebSocket(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(socket) => Pin::new(socket).poll_flush(context),
            #[cfg(unix)]
            Stream::Unix(socket) => Pin::new(socket).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
            Stream::WebSocket(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(socket) => Pin::new(socket).poll_shutdown(context),
            #[cfg(unix)]
            Stream::Unix(socket) => Pin::new(socket).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::WebSocket(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_over_tcp_is_hardly_larger_than_its_socket() {
        assert!(size_of::<Stream>() <= size_of::<TcpStream>() + 8);
    }
}
