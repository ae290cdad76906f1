//! Names and TCP: all addresses of a name are tried, each with a head start over the next (RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

/// A head start for an address over the next one of the same name (as in RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The addresses of a name, in the order in which the system prefers them.
pub(super) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host((host, port)).await?.collect())
}

/// The first of the addresses to answer, without Nagle's delay.
pub(super) async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let socket = first_to_connect(addresses).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

async fn first_to_connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    // Mostly there is one, which needs no race.
    if let [address] = addresses {
        return TcpStream::connect(address).await;
    }
    let mut attempts = JoinSet::new();
    let mut rest = addresses.iter().copied();
    let mut outcome = Err(io::Error::new(
        io::ErrorKind::NotFound,
        "the name has no address",
    ));
    loop {
        if let Some(address) = rest.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        let next_starts = async {
            match rest.len() {
                0 => std::future::pending().await,
                _ => tokio::time::sleep(HEAD_START).await,
            }
        };
        tokio::select! {
            attempt = attempts.join_next() => match attempt {
                Some(Ok(Ok(socket))) => return Ok(socket),
                Some(Ok(Err(error))) => outcome = Err(error),
                Some(Err(panic)) => outcome = Err(io::Error::other(panic)),
                None => return outcome,
            },
            () = next_starts => {}
        }
    }
}
