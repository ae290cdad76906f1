//! SRV records: which hosts and ports serve MQTT for a domain (RFC 2782), as mosquitto's `-S` asks.
//!
//! The resolver is made only for whoever asks for it. TLS still checks the name that was typed: an answer of DNS is not
//! protected, and must not decide whom to believe.

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RData;

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

/// A resolver as this system has it configured.
///
/// # Errors
/// When the configuration cannot be read.
pub(super) fn resolver() -> Result<TokioResolver, String> {
    TokioResolver::builder_tokio()
        .and_then(|builder| builder.build())
        .map_err(|error| format!("cannot read this system's configuration of DNS: {error}"))
}

/// The hosts that serve MQTT, or MQTT over TLS, for a domain, in the order in which they shall be tried.
///
/// # Errors
/// When there are none, or DNS does not answer.
pub(super) async fn targets(
    resolver: &TokioResolver,
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
    use std::net::Ipv4Addr;

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
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

    /// A server of DNS that knows these records, and a resolver that asks it alone.
    async fn server(records: Vec<(&'static str, SRV)>) -> TokioResolver {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
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
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![connection]);
        let config = ResolverConfig::from_name_servers(vec![server]);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .build()
            .unwrap()
    }

    fn srv(priority: u16, port: u16, target: &str) -> SRV {
        SRV::new(priority, 0, port, Name::from_ascii(target).unwrap())
    }

    #[tokio::test]
    async fn the_hosts_of_a_domain_are_asked_for_by_service() {
        let resolver = server(vec![
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
            let found = targets(&resolver, scheme, domain, || 0.0).await?;
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
