//! Names: the addresses of a host, and the SRV records that say which hosts and ports serve MQTT for a domain (RFC 2782), as
//! mosquitto's `-S` asks.
//!
//! Addresses are looked up by the system, unless a name server is named; SRV records, which the system's look-up does not
//! know, by a resolver that is made only for whoever needs it. TLS still checks the name that was typed: an answer of DNS
//! is not protected, and must not decide whom to believe.

use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

use super::{Route, tcp};
use crate::client::url::Scheme;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Lower ones are to be tried first.
    priority: u16,
    /// Of those of one priority, how often this one shall be the first.
    weight: u16,
    pub(super) host: String,
    pub(super) port: u16,
}

/// Whoever knows names.
pub(super) struct Names {
    resolver: Option<TokioResolver>,
    /// The resolver asks a name server of its own, and knows addresses as well.
    is_named: bool,
}

impl Names {
    /// # Errors
    /// When this system's configuration of DNS is needed and cannot be read.
    pub(super) fn new(route: &Route) -> Result<Names, String> {
        let resolver = match route.nameserver {
            Some(server) => Some(
                TokioResolver::builder_with_config(only(server), TokioRuntimeProvider::default())
                    .build()
                    .map_err(|error| format!("cannot ask the name server {server}: {error}"))?,
            ),
            None if route.srv => Some(
                TokioResolver::builder_tokio()
                    .and_then(|builder| builder.build())
                    .map_err(|error| {
                        format!("cannot read this system's configuration of DNS: {error}")
                    })?,
            ),
            None => None,
        };
        Ok(Names {
            resolver,
            is_named: route.nameserver.is_some(),
        })
    }

    /// The addresses of a host, in the order in which they shall be tried.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let found = match &self.resolver {
            Some(resolver) if self.is_named && host.parse::<std::net::IpAddr>().is_err() => {
                resolver
                    .lookup_ip(host)
                    .await
                    .map(|found| {
                        found
                            .iter()
                            .map(|each| SocketAddr::new(each, port))
                            .collect()
                    })
                    .map_err(|error| error.to_string())
            }
            _ => tcp::addresses(host, port)
                .await
                .map_err(|error| error.to_string()),
        };
        found.map_err(|error| format!("cannot find the address of {host}: {error}; check --host"))
    }

    /// The hosts that serve MQTT, or MQTT over TLS, for a domain, in the order in which they shall be tried.
    ///
    /// # Errors
    /// When there are none, or DNS does not answer.
    pub(super) async fn targets(
        &self,
        scheme: Scheme,
        domain: &str,
        chance: impl FnMut() -> f64,
    ) -> Result<Vec<Target>, String> {
        let service = match scheme.has_tls() {
            true => "_secure-mqtt._tcp",
            false => "_mqtt._tcp",
        };
        // With the dot at its end the name is complete: no search list applies.
        let name = format!("{service}.{}.", domain.trim_end_matches('.'));
        let Some(resolver) = &self.resolver else {
            return Err(format!("nobody can be asked for {name}"));
        };
        let answer = resolver.srv_lookup(name.as_str()).await.map_err(|error| {
            format!("no SRV record {name} ({error}); without --srv {domain} itself is the host")
        })?;
        let found: Vec<Target> = answer
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(Target {
                    priority: srv.priority,
                    weight: srv.weight,
                    host: srv.target.to_utf8().trim_end_matches('.').to_owned(),
                    port: srv.port,
                }),
                _ => None,
            })
            // A target that is the root says that there is no such service here.
            .filter(|target| !target.host.is_empty())
            .collect();
        match found.is_empty() {
            true => Err(format!(
                "the SRV record {name} says that {domain} has no such service"
            )),
            false => Ok(ordered(found, chance)),
        }
    }
}

/// Ask this server, first by UDP and for long answers by TCP.
fn only(server: SocketAddr) -> ResolverConfig {
    let ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let ways = ways.map(|mut way| {
        way.port = server.port();
        way
    });
    let server = NameServerConfig::new(server.ip(), true, ways.to_vec());
    ResolverConfig::from_name_servers(vec![server])
}

/// By priority, and within one by lot: each is drawn with the probability of its weight (RFC 2782). `chance` gives numbers
/// from 0 up to 1.
fn ordered(mut targets: Vec<Target>, mut chance: impl FnMut() -> f64) -> Vec<Target> {
    // Those without weight first, so that they have their small chance.
    targets.sort_by_key(|target| (target.priority, target.weight));
    let mut order = Vec::with_capacity(targets.len());
    while let Some(first) = targets.first() {
        let priority = first.priority;
        let alike = targets
            .iter()
            .take_while(|target| target.priority == priority)
            .count();
        let total: f64 = targets[..alike]
            .iter()
            .map(|target| f64::from(target.weight))
            .sum();
        let lot = (chance() * (total + 1.0)).floor();
        let mut sum = 0.0;
        let drawn = targets[..alike].iter().position(|target| {
            sum += f64::from(target.weight);
            sum >= lot
        });
        order.push(targets.remove(drawn.unwrap_or(0)));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::{Name, Record, rdata::SRV};
    use proptest::prelude::*;
    use tokio::net::UdpSocket;

    fn target(priority: u16, weight: u16, host: &str) -> Target {
        Target {
            priority,
            weight,
            host: host.to_owned(),
            port: 1883,
        }
    }

    fn hosts(targets: &[Target]) -> String {
        targets.iter().map(|target| target.host.as_str()).collect()
    }

    #[test]
    fn a_lower_priority_comes_first_and_weight_decides_by_lot() {
        let all = || {
            vec![
                target(20, 0, "z"),
                target(10, 60, "a"),
                target(10, 20, "b"),
                target(10, 0, "c"),
            ]
        };
        // The lots of one priority are laid out by weight: c 0, b up to 20, a up to 80.
        assert_eq!(hosts(&ordered(all(), || 0.0)), "cbaz");
        assert_eq!(hosts(&ordered(all(), || 0.2)), "bacz");
        assert_eq!(hosts(&ordered(all(), || 0.999)), "abcz");
    }

    proptest! {
        #[test]
        fn every_target_is_kept_and_priorities_never_mix(
            records in proptest::collection::vec((0..4_u16, any::<u16>()), 0..8),
            lots in proptest::collection::vec(0.0..1.0_f64, 8),
        ) {
            let all: Vec<Target> = records.iter().map(|(priority, weight)| target(*priority, *weight, "h")).collect();
            let mut lots = lots.into_iter();
            let order = ordered(all.clone(), || lots.next().unwrap_or(0.5));
            prop_assert_eq!(order.len(), all.len());
            prop_assert!(order.is_sorted_by_key(|target| target.priority));
            for each in &all {
                let count = |list: &[Target]| list.iter().filter(|other| *other == each).count();
                prop_assert_eq!(count(&all), count(&order));
            }
        }
    }

    /// A server of DNS that knows these records, and somebody who asks it alone.
    async fn server(records: Vec<(&'static str, SRV)>) -> Names {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let nameserver = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((count, from)) = socket.recv_from(&mut buffer).await {
                let query = Message::from_vec(&buffer[..count]).unwrap();
                let asked = query.queries[0].name().clone();
                let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
                answer.add_query(query.queries[0].clone());
                for (name, record) in &records {
                    if Name::from_ascii(name).unwrap() == asked {
                        let record =
                            Record::from_rdata(asked.clone(), 60, RData::SRV(record.clone()));
                        answer.add_answer(record);
                    }
                }
                if answer.answers.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                socket
                    .send_to(&answer.to_vec().unwrap(), from)
                    .await
                    .unwrap();
            }
        });
        Names::new(&Route {
            nameserver: Some(nameserver),
            ..Route::default()
        })
        .unwrap()
    }

    fn srv(priority: u16, port: u16, target: &str) -> SRV {
        SRV::new(priority, 0, port, Name::from_ascii(target).unwrap())
    }

    #[tokio::test]
    async fn the_hosts_of_a_domain_are_asked_for_by_service() {
        let names = server(vec![
            (
                "_mqtt._tcp.example.org.",
                srv(2, 1884, "second.example.org."),
            ),
            (
                "_mqtt._tcp.example.org.",
                srv(1, 1885, "first.example.org."),
            ),
            (
                "_secure-mqtt._tcp.example.org.",
                srv(0, 8885, "secure.example.org."),
            ),
            ("_mqtt._tcp.none.example.", srv(0, 0, ".")),
        ])
        .await;
        let found = async |scheme, domain| {
            let found = names.targets(scheme, domain, || 0.0).await?;
            let found: Vec<String> = found
                .iter()
                .map(|each| format!("{}:{}", each.host, each.port))
                .collect();
            Ok::<String, String>(found.join(" "))
        };
        assert_eq!(
            found(Scheme::Mqtt, "example.org").await.unwrap(),
            "first.example.org:1885 second.example.org:1884"
        );
        assert_eq!(
            found(Scheme::Mqtts, "example.org.").await.unwrap(),
            "secure.example.org:8885"
        );
        assert_eq!(
            found(Scheme::Mqtt, "none.example").await.unwrap_err(),
            "the SRV record _mqtt._tcp.none.example. says that none.example has no such service"
        );
        let words = found(Scheme::Mqtt, "nowhere.example").await.unwrap_err();
        assert!(
            words.starts_with("no SRV record _mqtt._tcp.nowhere.example. ("),
            "{words}"
        );
    }
}
