//! Which proxy stands on the way: the one that was typed, or the one the environment names for such connections.
//!
//! HTTPS_PROXY is for what is encrypted (mqtts, wss), http_proxy for ws, in small letters only, as in curl, because a web server
//! sets HTTP_PROXY from a header of its visitors; ALL_PROXY is for everything, plain mqtt included. NO_PROXY names hosts without one, and
//! the environment never puts a proxy between this machine and itself.

use std::ffi::OsString;
use std::net::IpAddr;

use crate::client::transport::proxy::Proxy;
use crate::client::{Endpoint, Scheme};
use crate::exit::Exit;

/// The proxy for this endpoint. `typed` is the value of --proxy; `none` there sets the environment aside.
///
/// # Errors
/// [`Exit::Usage`] when it is no URL of a proxy, or the endpoint cannot be reached through one.
pub(super) fn proxy(
    typed: Option<&str>,
    endpoint: &Endpoint,
    environment: impl Fn(&str) -> Option<OsString>,
) -> anyhow::Result<Option<Proxy>> {
    match (typed, endpoint.scheme) {
        (Some("none" | ""), _) | (None, Scheme::Unix) => Ok(None),
        (Some(_), Scheme::Unix) => {
            Err(Exit::Usage.because("no proxy leads to a unix socket; leave --proxy out"))
        }
        (Some(url), _) => parsed(url, "--proxy").map(Some),
        (None, scheme) => {
            let read = |name: &str| environment(name)?.into_string().ok();
            let exceptions = read("no_proxy")
                .or_else(|| read("NO_PROXY"))
                .unwrap_or_default();
            let Some((name, url)) = variables(scheme)
                .iter()
                .find_map(|name| Some((name, read(name)?)))
            else {
                return Ok(None);
            };
            match is_loopback(&endpoint.host) || is_excepted(endpoint, &exceptions) {
                true => Ok(None),
                false => parsed(&url, name).map(Some),
            }
        }
    }
}

/// The first of these that is set counts.
fn variables(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Mqtts | Scheme::Wss => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        Scheme::Ws => &["http_proxy", "all_proxy", "ALL_PROXY"],
        Scheme::Mqtt | Scheme::Unix => &["all_proxy", "ALL_PROXY"],
    }
}

fn parsed(url: &str, source: &str) -> anyhow::Result<Proxy> {
    // The URL is not repeated: it may hold a password.
    url.parse()
        .map_err(|error| Exit::Usage.because(format!("{source}: {error}")))
}

fn is_loopback(host: &str) -> bool {
    let is_address = host
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || host.eq_ignore_ascii_case("localhost")
}

/// Whether one of the exceptions, separated by commas, is the host, a domain it lies in, its network, or `*`. An exception may
/// name a port.
fn is_excepted(endpoint: &Endpoint, exceptions: &str) -> bool {
    let host = endpoint.host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    exceptions
        .split([',', ' '])
        .filter(|each| !each.is_empty())
        .any(|each| {
            let each = each.to_ascii_lowercase();
            let each = match each.rsplit_once(':') {
                Some((before, port)) if !before.contains(':') || before.ends_with(']') => {
                    if port.parse() != Ok(endpoint.port) {
                        return false;
                    }
                    before
                }
                _ => each.as_str(),
            };
            let each = each.trim_matches(['[', ']']);
            if each == "*" {
                return true;
            }
            match address {
                Some(address) => is_in(address, each),
                None => {
                    let domain = each.trim_start_matches("*.").trim_start_matches('.');
                    host.strip_suffix(domain).is_some_and(|rest| {
                        !domain.is_empty() && (rest.is_empty() || rest.ends_with('.'))
                    })
                }
            }
        })
}

/// Whether an address is this one or lies in this network, `ADDRESS[/BITS]`.
fn is_in(address: IpAddr, network: &str) -> bool {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (network, Some(128)),
    };
    let as_number = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let (Ok(base), Some(bits)) = (base.parse::<IpAddr>(), bits) else {
        return false;
    };
    let ((base_number, length), (number, _)) = (as_number(base), as_number(address));
    let differing = (base_number ^ number).leading_zeros();
    base.is_ipv4() == address.is_ipv4() && differing >= bits.min(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chosen(typed: Option<&str>, url: &str, environment: &[(&str, &str)]) -> String {
        let endpoint: Endpoint = url.parse().unwrap();
        let environment = |name: &str| {
            let value = environment.iter().find(|(variable, _)| *variable == name);
            value.map(|(_, value)| OsString::from(value))
        };
        match proxy(typed, &endpoint, environment) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "-".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_environment_names_a_proxy_by_what_travels_through_it() {
        let (all, http, https) = (
            ("ALL_PROXY", "socks5h://all"),
            ("http_proxy", "plain:1"),
            ("HTTPS_PROXY", "http://tls:2"),
        );
        for (typed, url, environment, expected) in [
            (
                None,
                "mqtt://h",
                &[all, http, https][..],
                "socks5h://all:1080",
            ),
            (None, "mqtt://h", &[http, https], "-"),
            (None, "mqtts://h", &[all, http, https], "http://tls:2"),
            (None, "mqtts://h", &[all, http], "socks5h://all:1080"),
            (None, "wss://h", &[https], "http://tls:2"),
            (None, "ws://h", &[all, http, https], "http://plain:1"),
            (None, "ws://h", &[("HTTP_PROXY", "evil:1")], "-"),
            (
                None,
                "mqtts://h",
                &[https, ("https_proxy", "small:3")],
                "http://small:3",
            ),
            (None, "mqtts://localhost", &[https], "-"),
            (None, "mqtts://127.1.2.3", &[https], "-"),
            (None, "unix:///x", &[all], "-"),
            (
                Some("socks5h://typed"),
                "mqtts://h",
                &[https, ("NO_PROXY", "*")],
                "socks5h://typed:1080",
            ),
            (Some("none"), "mqtts://h", &[https], "-"),
            (Some(""), "mqtts://h", &[https], "-"),
            (
                Some("ftp://x"),
                "mqtts://h",
                &[],
                "--proxy: unsupported scheme ftp://; use socks5h, socks5, http or https",
            ),
            (
                None,
                "mqtt://h",
                &[("ALL_PROXY", "ftp://x")],
                "ALL_PROXY: unsupported scheme ftp://; use socks5h, socks5, http or https",
            ),
            (
                Some("x"),
                "unix:///x",
                &[],
                "no proxy leads to a unix socket; leave --proxy out",
            ),
        ] {
            assert_eq!(
                chosen(typed, url, environment),
                expected,
                "{typed:?} {url} {environment:?}"
            );
        }
    }

    #[test]
    fn exceptions_are_hosts_domains_networks_and_ports() {
        for (exceptions, url, is) in [
            ("*", "mqtt://h", true),
            ("h", "mqtt://h", true),
            ("h", "mqtt://bh", false),
            ("example.org", "mqtt://a.Example.org", true),
            (".example.org, x", "mqtt://example.org", true),
            ("*.example.org", "mqtt://a.example.org", true),
            ("example.org", "mqtt://badexample.org", false),
            ("h:1883", "mqtt://h", true),
            ("h:1884", "mqtt://h", false),
            ("10.0.0.0/8", "mqtt://10.9.8.7", true),
            ("10.0.0.0/8", "mqtt://11.9.8.7", false),
            ("10.0.0.1", "mqtt://10.0.0.1", true),
            ("fd00::/8", "mqtt://[fd12::1]", true),
            ("[fd12::1]:1883", "mqtt://[fd12::1]", true),
            ("0.0.0.0/0", "mqtt://[fd12::1]", false),
            ("", "mqtt://h", false),
            (".", "mqtt://h", false),
        ] {
            assert_eq!(
                is_excepted(&url.parse().unwrap(), exceptions),
                is,
                "{exceptions} {url}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_list_of_exceptions_makes_it_panic(exceptions in ".*", host in "[a-z.0-9]{1,12}") {
            let _ = is_excepted(&Endpoint::new(Scheme::Mqtt, host, 1883), &exceptions);
        }
    }
}
