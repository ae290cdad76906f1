//! A way to a broker, found once and gone by many connections. What is said at its end is not its business.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::bench::plan::disturbance::Clientele;
use crate::bench::proxy::{Goal, Onward};
use crate::client::transport::{Dialer, Hosts, Legs, Route, Stream};
use crate::client::{ConnectOptions, Endpoint, Failure, Scheme};

/// One way to one broker, which many connections take.
pub struct Way {
    /// Which of several brokers it leads to.
    pub(super) broker: usize,
    endpoint: Endpoint,
    dialer: Dialer,
    hosts: Hosts,
}

impl Way {
    /// Looks the addresses up, once for all connections, and reads the files TLS needs. `source` is the address of ours
    /// to connect from, if it is to be a certain one.
    ///
    /// # Errors
    /// When a file cannot be used, or the name has no address within the time to connect.
    pub async fn find(
        endpoint: &Endpoint,
        source: Option<IpAddr>,
        options: &ConnectOptions,
    ) -> Result<Way, Failure> {
        let route = Route {
            bind: source.or(options.route.bind),
            ..options.route.clone()
        };
        let dialer = Dialer::new(endpoint, &route)?;
        let found = tokio::time::timeout(options.connect_timeout, dialer.addresses()).await;
        let late = || {
            let words = format!(
                "cannot find the address of {} in time (--connect-timeout)",
                endpoint.host
            );
            Failure::not_reached(words)
        };
        Ok(Way {
            broker: 0,
            endpoint: endpoint.clone(),
            hosts: found.unwrap_or_else(|_| Err(late()))?,
            dialer,
        })
    }

    /// Where it ends.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Goes it to its end.
    ///
    /// # Errors
    /// Why the end cannot be reached.
    pub(super) async fn go(&self) -> Result<(Stream, Legs), Failure> {
        self.dialer.dial_to(&self.hosts, |_| {}).await
    }

    /// Goes the way once and back, to see whether it can be gone.
    ///
    /// # Errors
    /// Why not.
    pub(in crate::bench) async fn try_out(&self, options: &ConnectOptions) -> Result<(), Failure> {
        let limit = options.connect_timeout;
        match tokio::time::timeout(limit, self.go()).await {
            Ok(gone) => gone.map(drop),
            Err(_) => Err(self.late(limit)),
        }
    }

    /// Is for clients of this kind from now on and ends at a proxy, which [`Way::lead_to`] names. Returns where that has
    /// to go on to.
    pub(in crate::bench) fn divert(&mut self, kind: Clientele) -> Onward {
        let goal = match self.endpoint.scheme {
            Scheme::Unix => Goal::Unix(self.endpoint.path.clone()),
            _ => Goal::Tcp {
                hosts: std::mem::take(&mut self.hosts),
                from: self.dialer.unbind(),
            },
        };
        Onward { goal, kind }
    }

    /// Leads to the proxy there from now on.
    pub(in crate::bench) fn lead_to(&mut self, proxy: SocketAddr) {
        self.hosts = vec![vec![proxy]];
    }

    /// There was no answer in time.
    pub(super) fn late(&self, limit: Duration) -> Failure {
        let limit = humantime::format_duration(limit);
        Failure::not_reached(format!(
            "no answer from {} within {limit} (--connect-timeout)",
            self.endpoint
        ))
    }
}
