//! The two URLs of mosquitto's clients, `-L` and `--proxy`, as those read them: letter by letter, with hardly any escapes.

use super::number::atoi;

/// What `-L` says. Nothing is percent-decoded: a password that works with mosquitto's client shall work here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BrokerUrl<'a> {
    pub(super) host: &'a str,
    /// As it was read, which may be no port.
    pub(super) port: i32,
    /// Name and password.
    pub(super) user: Option<(&'a str, Option<&'a str>)>,
    pub(super) topic: &'a str,
    pub(super) has_tls: bool,
    pub(super) has_websocket: bool,
}

impl<'a> BrokerUrl<'a> {
    /// # Errors
    /// In mosquitto's words.
    pub(super) fn parse(url: &'a str) -> Result<BrokerUrl<'a>, &'static str> {
        let schemes = [
            ("mqtt://", false, false),
            ("mqtts://", true, false),
            ("ws://", false, true),
            ("wss://", true, true),
        ];
        let scheme = schemes.into_iter().find_map(|(prefix, tls, websocket)| {
            let (start, rest) = url.split_at_checked(prefix.len())?;
            let is_it = start.eq_ignore_ascii_case(prefix);
            is_it.then_some((rest, tls, websocket))
        });
        let (rest, has_tls, has_websocket) = scheme.ok_or("Error: unsupported URL scheme.\n\n")?;
        let (authority, topic) = rest
            .split_once('/')
            .ok_or("Error: Invalid URL for -L argument specified - topic missing.\n")?;
        let (user, address) = match authority.split_once('@') {
            None => (None, authority),
            Some((user, address)) => (Some(two(user)), address),
        };
        let bracketed = address
            .strip_prefix('[')
            .and_then(|address| address.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => two(address),
        };
        Ok(BrokerUrl {
            host,
            port: port.map_or(if has_tls { 8883 } else { 1883 }, atoi),
            user,
            topic,
            has_tls,
            has_websocket,
        })
    }
}

/// A text and what stands behind its first colon.
fn two(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((first, second)) => (first, Some(second)),
        None => (text, None),
    }
}

/// What `--proxy` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProxyUrl {
    host: String,
    port: i32,
    user: Option<(String, String)>,
}

impl ProxyUrl {
    /// # Errors
    /// In mosquitto's words, of which there are not always any.
    pub(super) fn parse(url: &str) -> Result<ProxyUrl, String> {
        let address = url
            .strip_prefix("socks5h://")
            .ok_or_else(|| format!("Error: Unsupported proxy protocol: {url}\n"))?;
        let six = in_brackets(address);
        let shortened = six.map(|six| address.replacen(&format!("[{six}]"), "six", 1));
        let address = shortened.as_deref().unwrap_or(address);
        // A colon ends the name or the host, an @ the name or the password; what else there is of both is text.
        let (mut first, mut user, mut host) = (None, None, None);
        let mut rest = address;
        let mut from = 0;
        while let Some(place) = rest[from..].find([':', '@']) {
            let (before, after) = (&rest[..from + place], &rest[from + place + 1..]);
            let is_colon = rest.as_bytes()[from + place] == b':';
            if before.is_empty() || is_colon && host.is_some() {
                return Err(String::new());
            }
            match (is_colon, &user, first) {
                (true, None, Some(_)) => {
                    from += place + 1;
                    continue;
                }
                (true, None, None) => first = Some(before),
                (true, Some(_), _) => host = Some(before),
                (false, Some(_), None) => return Err(String::new()),
                (false, _, name) => {
                    user = Some((name.unwrap_or(before), name.map_or("", |_| before)));
                    first = None;
                }
            }
            (rest, from) = (after, 0);
        }
        let (host, port) = match (host.or(first), rest) {
            (None, "") => return Err("Error: Invalid proxy.\n".to_owned()),
            (None, rest) => (rest, None),
            (Some(_), "") if host.is_none() => return Err("Error: Invalid proxy.\n".to_owned()),
            (Some(host), "") => (host, None),
            (Some(host), port) => (host, Some(port)),
        };
        let user = user.map(|(name, password)| Some((decoded(name)?, decoded(password)?)));
        let user = match user {
            Some(None) => return Err(String::new()),
            user => user.flatten(),
        };
        match port.map_or(1080, atoi) {
            port @ 1..=65_535 => Ok(ProxyUrl {
                host: six.unwrap_or(host).to_owned(),
                port,
                user,
            }),
            port => Err(format!("Error: Invalid proxy port {port}\n")),
        }
    }

    /// The URL as our own commands read it.
    pub(super) fn ours(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => encoded(&self.host),
        };
        let user = self
            .user
            .as_ref()
            .map_or(String::new(), |(name, password)| {
                format!("{}:{}@", encoded(name), encoded(password))
            });
        format!("socks5h://{user}{host}:{}", self.port)
    }
}

/// An IPv6 address in the place of the host, as mosquitto 2.1 reads it.
fn in_brackets(address: &str) -> Option<&str> {
    let host = address.rsplit_once('@').map_or(address, |(_, host)| host);
    let (six, _) = host.strip_prefix('[')?.split_once(']')?;
    six.parse::<std::net::Ipv6Addr>().is_ok().then_some(six)
}

/// Three characters may be written as escapes, and no others.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        decoded.push(match code {
            "25" => '%',
            "3A" | "3a" => ':',
            "40" => '@',
            _ => return None,
        });
        decoded += rest;
    }
    Some(decoded)
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_broker_is_read_up_to_the_first_colon_and_the_first_at() {
        let url = BrokerUrl::parse("MqttS://u:p%40:q@h:7x/a@b:c/d").unwrap();
        assert_eq!((url.host, url.port), ("h", 7));
        assert_eq!(url.user, Some(("u", Some("p%40:q"))));
        assert_eq!((url.topic, url.has_tls), ("a@b:c/d", true));
        let url = BrokerUrl::parse("ws://[::1]/").unwrap();
        assert_eq!((url.host, url.port, url.topic), ("::1", 1883, ""));
        assert!(url.has_websocket && BrokerUrl::parse("mqtt:/h/t").is_err());
    }

    #[test]
    fn a_proxy_is_read_as_mosquittos_client_reads_it() {
        for (typed, ours) in [
            ("h", "h:1080"),
            ("h:7", "h:7"),
            ("h:7:8", "h:7"),
            ("h:7x", "h:7"),
            ("u@h", "u:@h:1080"),
            ("u@h:7", "u:@h:7"),
            ("u:p@h:7", "u:p@h:7"),
            ("u:p:q@h", "u:p%3Aq@h:1080"),
            ("u:p%40%3a%25@h", "u:p%40%3A%25@h:1080"),
            ("[::1]", "[::1]:1080"),
            ("u:p@[::1]:7", "u:p@[::1]:7"),
        ] {
            let url = ProxyUrl::parse(&format!("socks5h://{typed}")).unwrap();
            assert_eq!(url.ours(), format!("socks5h://{ours}"), "{typed}");
        }
        for (typed, words) in [
            ("", "Error: Invalid proxy.\n"),
            ("u:p@", "Error: Invalid proxy.\n"),
            ("h:", "Error: Invalid proxy.\n"),
            (":", ""),
            ("@h", ""),
            ("u:@h", ""),
            ("u:%zz@h", ""),
            ("h:0", "Error: Invalid proxy port 0\n"),
        ] {
            let fault = ProxyUrl::parse(&format!("socks5h://{typed}")).unwrap_err();
            assert_eq!(fault, words, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn no_url_is_too_strange(text in "(mqtt|socks5h)://[a:@%/\\[\\]0-9ü]{0,12}") {
            let _ = BrokerUrl::parse(&text);
            if let Ok(url) = ProxyUrl::parse(&text) {
                prop_assert!(url.ours().parse::<crate::client::transport::proxy::Proxy>().is_ok()
                    || url.user.is_some_and(|(_, password)| password.is_empty()));
            }
        }
    }
}
