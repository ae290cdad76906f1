//! Names and TCP: all addresses of a name are tried, each with a head start over the next (RFC 8305), and of several hosts
//! each with a longer one, so that the next is only taken where the one before cannot be reached (RFC 2782).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;

/// A head start for an address over the next one of the same name (as in RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// A head start for a host over the next one: long enough for a far one whose first packet is lost, which is sent again
/// after a second; short enough that one behind two dead ones is found within ten seconds, the usual --connect-timeout.
const HEAD_START_OF_HOST: Duration = Duration::from_secs(3);

/// The addresses of each host, in the order in which the hosts shall be tried; only SRV records bring more than one host.
pub type Hosts = Vec<Vec<SocketAddr>>;

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
pub async fn connect(hosts: &[Vec<SocketAddr>], own: Option<IpAddr>) -> io::Result<TcpStream> {
    let is_alike = |address: &SocketAddr| own.is_none_or(|own| address.is_ipv4() == own.is_ipv4());
    let alike: Vec<Vec<SocketAddr>> = hosts
        .iter()
        .map(|host| host.iter().copied().filter(is_alike).collect())
        .filter(|host: &Vec<SocketAddr>| !host.is_empty())
        .collect();
    if let (Some(own), [], [_, ..]) = (own, &alike[..], hosts) {
        let family = if own.is_ipv4() { "IPv4" } else { "IPv6" };
        return Err(io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            format!("it has no {family} address to be reached from {own} (--bind)"),
        ));
    }
    let hosts = alike.into_iter().map(|host| {
        let addresses = host.into_iter().map(move |address| attempt(address, own));
        first(addresses, HEAD_START)
    });
    let socket = first(hosts, HEAD_START_OF_HOST).await?;
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

/// The first attempt to succeed. Each has a head start over the next one, which begins at once when one fails.
async fn first<T: Send + 'static>(
    mut rest: impl ExactSizeIterator<Item = impl Future<Output = io::Result<T>> + Send + 'static>,
    head_start: Duration,
) -> io::Result<T> {
    let mut attempts = JoinSet::new();
    let mut outcome = Err(io::Error::new(
        io::ErrorKind::NotFound,
        "the name has no address",
    ));
    loop {
        if let Some(attempt) = rest.next() {
            attempts.spawn(attempt);
        }
        let next_starts = async {
            match rest.len() {
                0 => std::future::pending().await,
                _ => tokio::time::sleep(head_start).await,
            }
        };
        tokio::select! {
            attempt = attempts.join_next() => match attempt {
                Some(Ok(Ok(first))) => return Ok(first),
                Some(Ok(Err(error))) => outcome = Err(error),
                Some(Err(panic)) => outcome = Err(io::Error::other(panic)),
                None => return outcome,
            },
            () = next_starts => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, sleep};

    /// What wins, and after how many milliseconds. An attempt is its name, how long it takes, and whether it succeeds.
    async fn race(
        hosts: &'static [&'static [(&'static str, u64, bool)]],
    ) -> (Option<&'static str>, u128) {
        let start = Instant::now();
        let hosts = hosts.iter().map(|addresses| {
            let attempts = addresses.iter().map(async |(name, takes, succeeds)| {
                sleep(Duration::from_millis(*takes)).await;
                match succeeds {
                    true => Ok(*name),
                    false => Err(io::Error::other("no")),
                }
            });
            first(attempts, HEAD_START)
        });
        let winner = first(hosts, HEAD_START_OF_HOST).await.ok();
        (winner, start.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_race_and_hosts_come_in_turn() {
        // The second address of a host begins a quarter of a second after the first, or when that fails.
        assert_eq!(
            race(&[&[("a", 400, true), ("b", 100, true)]]).await,
            (Some("b"), 350)
        );
        assert_eq!(
            race(&[&[("a", 20, false), ("b", 100, true)]]).await,
            (Some("b"), 120)
        );
        // A host that answers late is preferred to one that is there for when it does not answer.
        assert_eq!(
            race(&[&[("a", 1500, true)], &[("b", 1, true)]]).await,
            (Some("a"), 1500)
        );
        // That one of its addresses fails does not bring the next host.
        assert_eq!(
            race(&[&[("a", 20, false), ("b", 900, true)], &[("c", 1, true)]]).await,
            (Some("b"), 920)
        );
        // All of them do, and so does silence.
        assert_eq!(
            race(&[&[("a", 20, false), ("b", 30, false)], &[("c", 1, true)]]).await,
            (Some("c"), 51)
        );
        assert_eq!(
            race(&[&[("a", 90_000, true)], &[("b", 1, true)]]).await,
            (Some("b"), 3001)
        );
        assert_eq!(race(&[&[("a", 5, false)]]).await, (None, 5));
        assert_eq!(race(&[]).await, (None, 0));
    }
}
