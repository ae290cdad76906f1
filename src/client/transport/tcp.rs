//! Names and TCP: all addresses of a name are tried, each with a head start over the next (RFC 8305).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;

/// A head start for an address over the next one of the same name (as in RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The addresses of a name, in the order in which the system prefers them.
///
/// The system is not asked about `localhost`, which is this machine whatever it answers (RFC 6761, 6.3): the question takes a
/// thread of its own, and that takes longer than to connect. IPv4 is first because more brokers listen there; who refuses does it at once.
pub(super) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        let both = [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            Ipv6Addr::LOCALHOST.into(),
        ];
        return Ok(both.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    Ok(lookup_host((host, port)).await?.collect())
}

/// The first of the addresses to answer, without Nagle's delay. From `own`, if that is said, and then only addresses of
/// the same family can be reached.
///
/// # Errors
/// Why the last of them could not be connected to.
pub async fn connect(addresses: &[SocketAddr], own: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = match own {
        None => first_to_connect(addresses.iter().copied(), own).await?,
        Some(own) => {
            let alike = addresses
                .iter()
                .copied()
                .filter(|address| address.is_ipv4() == own.is_ipv4());
            let alike: Vec<SocketAddr> = alike.collect();
            if alike.is_empty() && !addresses.is_empty() {
                let family = if own.is_ipv4() { "IPv4" } else { "IPv6" };
                return Err(io::Error::new(
                    io::ErrorKind::AddrNotAvailable,
                    format!("it has no {family} address to be reached from {own} (--bind)"),
                ));
            }
            first_to_connect(alike.into_iter(), Some(own)).await?
        }
    };
    socket.set_nodelay(true)?;
    Ok(socket)
}

async fn attempt(address: SocketAddr, own: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(own) = own else {
        return TcpStream::connect(address).await;
    };
    let socket = match own {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(own, 0)).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot use the address {own} (--bind): {error}"),
        )
    })?;
    socket.connect(address).await
}

async fn first_to_connect(
    mut rest: impl ExactSizeIterator<Item = SocketAddr>,
    own: Option<IpAddr>,
) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut outcome = Err(io::Error::new(
        io::ErrorKind::NotFound,
        "the name has no address",
    ));
    loop {
        if let Some(address) = rest.next() {
            attempts.spawn(attempt(address, own));
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
