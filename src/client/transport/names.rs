//! Names: the addresses of a host, and the SRV records that say which hosts and ports serve MQTT for a domain (RFC 2782), as
//! mosquitto's `-S` asks.
//!
//! Addresses are looked up by the system, unless a name server is named; SRV records, which the system's look-up does not
//! know, by a resolver that is made only for whoever needs it. TLS still checks the name that was typed: an answer of DNS
//! is not protected, and must not decide whom to believe.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::{Hosts, Route, tcp};
use crate::client::url::Scheme;

/// When the addresses of one host are known, those of the others are waited for so much longer: a host that DNS is silent about
/// shall not hold up the one that is there, and one that is merely asked for at the same time shall not be left out.
const GRACE: Duration = Duration::from_secs(1);

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    /// Lower ones are to be tried first.
    priority: u16,
    /// Of those of one priority, how often this one shall be the first.
    weight: u16,
    host: String,
    port: u16,
}

/// Whoever knows names.
#[derive(Clone)]
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
                    .map_err(why)
            }
            _ => tcp::addresses(host, port)
                .await
                .map_err(|error| error.to_string()),
        };
        found.map_err(|error| format!("cannot find the address of {host}: {error}; check --host"))
    }

    /// The addresses of the hosts that serve a domain, in the order in which they shall be tried. That one of them has none spoils
    /// nothing.
    ///
    /// # Errors
    /// When there are no hosts, or none of them has an address.
    pub(super) async fn served(
        &self,
        scheme: Scheme,
        domain: &str,
        chance: impl FnMut() -> f64,
    ) -> Result<Hosts, String> {
        let mut asked = JoinSet::new();
        let targets = self.targets(scheme, domain, chance).await?;
        for (place, target) in targets.into_iter().enumerate() {
            let names = self.clone();
            asked.spawn(async move {
                let found = names.addresses(&target.host, target.port).await;
                (place, found)
            });
        }
        answered(asked).await
    }

    /// The hosts that serve MQTT, or MQTT over TLS, for a domain, in the order in which they shall be tried.
    ///
    /// # Errors
    /// When there are none, or DNS does not answer.
    async fn targets(
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
            let error = why(error);
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

/// Why the resolver has no answer. Where there are no records its own words are the question as it is in memory.
fn why(error: NetError) -> String {
    match error.is_no_records_found() {
        true => "DNS knows none".to_owned(),
        false => error.to_string(),
    }
}

/// Those addresses that come in time, by the places of their hosts.
async fn answered(
    mut asked: JoinSet<(usize, Result<Vec<SocketAddr>, String>)>,
) -> Result<Hosts, String> {
    let mut found = BTreeMap::new();
    let mut failed = BTreeMap::new();
    let mut end = None;
    loop {
        let next = match end {
            None => asked.join_next().await,
            Some(end) => timeout_at(end, asked.join_next()).await.ok().flatten(),
        };
        match next {
            Some(Ok((place, Ok(addresses)))) => {
                found.insert(place, addresses);
                end.get_or_insert_with(|| Instant::now() + GRACE);
            }
            Some(Ok((place, Err(words)))) => drop(failed.insert(place, words)),
            Some(Err(panic)) => drop(failed.insert(usize::MAX, panic.to_string())),
            None => break,
        }
    }
    match (found.is_empty(), failed.pop_last()) {
        (true, Some((_, words))) => Err(words),
        _ => Ok(found.into_values().collect()),
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

    #[tokio::test(start_paused = true)]
    async fn a_host_that_dns_is_silent_about_holds_the_others_up_for_a_second_at_most() {
        /// After how many milliseconds there is an answer, and whether it is an address.
        async fn tell(answers: &[(u64, bool)]) -> (Result<Vec<u16>, String>, u128) {
            let start = Instant::now();
            let mut asked = JoinSet::new();
            for (place, &(takes, is_found)) in answers.iter().enumerate() {
                asked.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(takes)).await;
                    let address = SocketAddr::from(([127, 0, 0, 1], place as u16));
                    let found = match is_found {
                        true => Ok(vec![address]),
                        false => Err(format!("nothing about {place}")),
                    };
                    (place, found)
                });
            }
            let found = answered(asked).await;
            let ports = found.map(|hosts| hosts.iter().map(|host| host[0].port()).collect());
            (ports, start.elapsed().as_millis())
        }
        // Side by side, and in their order.
        assert_eq!(
            tell(&[(300, true), (200, true)]).await,
            (Ok(vec![0, 1]), 300)
        );
        assert_eq!(
            tell(&[(20, true), (90_000, true)]).await,
            (Ok(vec![0]), 1020)
        );
        assert_eq!(
            tell(&[(90_000, true), (20, true)]).await,
            (Ok(vec![1]), 1020)
        );
        // As long as there is none, all are waited for.
        assert_eq!(
            tell(&[(5000, false), (6000, true)]).await,
            (Ok(vec![1]), 6000)
        );
        assert_eq!(
            tell(&[(5000, false), (20, false)]).await,
            (Err("nothing about 1".to_owned()), 5000)
        );
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
        assert_eq!(
            found(Scheme::Mqtt, "nowhere.example").await.unwrap_err(),
            "no SRV record _mqtt._tcp.nowhere.example. (DNS knows none); without --srv nowhere.example itself is the host"
        );
    }
}
