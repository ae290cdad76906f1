//! What the connection options mean: flags, environment and password file become one [`ConnectOptions`].
//!
//! A flag wins over the environment. `-h` sets a URL of the environment aside altogether, so that its user
//! and password are not sent to another broker; `-p` alone replaces its port.

mod connect;
mod password;
mod proxy;
mod session;
mod tls;
mod will;

use std::ffi::OsString;
use std::net::{IpAddr, ToSocketAddrs};

use bytes::Bytes;

pub use self::connect::connect;
pub use self::session::set_session;
pub use self::will::will;
use crate::cli::connection::{ConnectionArgs, ProtocolVersion, nameserver};
use crate::client::transport::tls::TlsOptions;
use crate::client::{BrokerUrl, ConnectOptions, DEFAULT_PATH, Endpoint, Scheme};
use crate::dialect::Dialect;
use crate::exit::Exit;
use crate::mqtt::Version;
use crate::output::say;

/// The broker that is meant, and the topic its URL named.
pub struct Target {
    /// With the default session: clean, a random client id, no will.
    pub options: ConnectOptions,
    /// The path of the URL.
    pub topic: Option<UrlTopic>,
}

/// The topic a URL carried, and how far it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlTopic {
    /// From `--url`: as good as a `-t`.
    Typed(String),
    /// From `MQTT_URL`: only meant where no topic was typed.
    Environment(String),
}

/// What the options and this process's environment say about the connection.
///
/// # Errors
/// [`Exit::Usage`] when they contradict each other or name no broker; [`Exit::Failed`] when the password file
/// cannot be read.
pub fn target(args: &ConnectionArgs) -> anyhow::Result<Target> {
    target_as(args, Dialect::Ours)
}

/// What TLS is to use and to trust, wherever it goes.
///
/// # Errors
/// [`Exit::Usage`] when the options contradict each other; [`Exit::Failed`] when a password file cannot be read.
pub fn tls(args: &ConnectionArgs) -> anyhow::Result<TlsOptions> {
    tls::options(&args.tls, None)
}

/// As [`target`], but under the names of mosquitto's clients, which read no such variables, without the environment.
///
/// # Errors
/// As for [`target`].
pub fn target_as(args: &ConnectionArgs, dialect: Dialect) -> anyhow::Result<Target> {
    let target = target_in(args, |name| match dialect {
        Dialect::Ours => std::env::var_os(name),
        Dialect::Mosquitto(_) => None,
    })?;
    if let Some(words) = tls::warning(&target.options) {
        say(words);
    }
    Ok(target)
}

fn target_in(
    args: &ConnectionArgs,
    environment: impl Fn(&str) -> Option<OsString>,
) -> anyhow::Result<Target> {
    // An empty variable is the shell's way of unsetting one for a single command.
    let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
    let typed = args.url.as_deref().map(|url| parse_url(url, "--url"));
    let typed = typed.transpose()?;
    let is_named = args.url.is_some() || args.host.is_some() || args.unix.is_some();
    let surrounding = match (is_named, environment("MQTT_URL")) {
        (false, Some(url)) => Some(parse_url(&text(url, "MQTT_URL")?, "MQTT_URL")?),
        _ => None,
    };
    let username = match environment("MQTT_USERNAME") {
        Some(name) => Some(text(name, "MQTT_USERNAME")?),
        None => None,
    };
    let password =
        environment("MQTT_PASSWORD").map(|password| Bytes::from(password.into_encoded_bytes()));
    let password_flag = password::given(args)?;

    let endpoint = endpoint(args, typed.as_ref().or(surrounding.as_ref()))?;
    let of = |url: &Option<BrokerUrl>| match url {
        Some(url) => (
            url.username.clone(),
            url.password.clone(),
            url.topic.clone(),
        ),
        None => (None, None, None),
    };
    let (typed_username, typed_password, typed_topic) = of(&typed);
    let (outer_username, outer_password, outer_topic) = of(&surrounding);
    let mut options = ConnectOptions::new(endpoint);
    options.version = match args.protocol_version {
        ProtocolVersion::V31 => Version::V31,
        ProtocolVersion::V311 => Version::V311,
        ProtocolVersion::V5 | ProtocolVersion::Auto => Version::V5,
    };
    options.falls_back = args.protocol_version == ProtocolVersion::Auto;
    options.username = (args.username.clone())
        .or(typed_username)
        .or(username)
        .or(outer_username);
    options.password = password_flag
        .or(typed_password)
        .or(password)
        .or(outer_password);
    if options.password.is_some() && options.username.is_none() && options.version < Version::V5 {
        return Err(Exit::Usage.because(format!(
            "a password without a user name cannot be sent with MQTT {}; add --username",
            options.version
        )));
    }
    if options.endpoint.scheme.has_tls() {
        options.route.tls = tls::options(&args.tls, environment("SSLKEYLOGFILE"))?;
    }
    options.route.headers.clone_from(&args.ws_header);
    options.route.proxy = proxy::proxy(args.proxy.as_deref(), &options.endpoint, environment)?;
    options.route.proxy_ca_file.clone_from(&args.proxy_cafile);
    let surrounding = environment("MQTT_NAMESERVER");
    options.route.nameserver = match (args.nameserver, surrounding) {
        (None, Some(server)) => Some(
            nameserver(&text(server, "MQTT_NAMESERVER")?)
                .map_err(|words| Exit::Usage.because(format!("MQTT_NAMESERVER: {words}")))?,
        ),
        (typed, _) => typed,
    };
    options.route.bind = match &args.bind {
        Some(address) => Some(own_address(address)?),
        None => None,
    };
    options.route.srv = args.srv;
    if args.srv {
        // Whoever asks DNS for the hosts of a broker can reach them.
        options.route.proxy = None;
    }
    check_srv(args, &options.endpoint, typed.as_ref())?;
    options.client_id = random_client_id();
    options.keep_alive = args.keepalive.unwrap_or(options.keep_alive);
    options.connect_timeout = args.connect_timeout;
    let topic = match (typed_topic, outer_topic) {
        (Some(topic), _) => Some(UrlTopic::Typed(topic)),
        (None, topic) => topic.map(UrlTopic::Environment),
    };
    Ok(Target { options, topic })
}

/// Where the broker is that was typed, and the user and password of its URL.
///
/// # Errors
/// As for [`target`].
pub fn typed_broker(
    args: &ConnectionArgs,
) -> anyhow::Result<(Endpoint, Option<String>, Option<Bytes>)> {
    let url = args.url.as_deref().map(|url| parse_url(url, "--url"));
    let url = url.transpose()?;
    let endpoint = endpoint(args, url.as_ref())?;
    let (username, password) = url.map_or((None, None), |url| (url.username, url.password));
    Ok((endpoint, username, password))
}

/// Where the broker is. A TLS option, or the port of MQTT over TLS where no URL says otherwise, makes the connection a
/// TLS connection.
fn endpoint(args: &ConnectionArgs, url: Option<&BrokerUrl>) -> anyhow::Result<Endpoint> {
    tls::refuse_the_impossible(&args.tls)?;
    if let Some(path) = &args.unix {
        if args.tls.is_wanted() {
            return Err(Exit::Usage.because("there is no TLS on a unix socket"));
        }
        if path.is_empty() {
            return Err(Exit::Usage.because("--unix is empty"));
        }
        return Ok(Endpoint::unix(path));
    }
    let mut endpoint = match url {
        Some(url) => url.endpoint.clone(),
        None => Endpoint::default(),
    };
    let has_port = args.port.is_some() || url.is_some_and(|url| url.has_port);
    if let Some(host) = &args.host {
        endpoint.host = host_name(host)?;
    }
    if let Some(port) = args.port {
        endpoint.port = port;
    }
    let is_usual_port = url.is_none() && args.port == Some(Scheme::Mqtts.default_port());
    match (endpoint.scheme, args.tls.no_tls) {
        (scheme, true) if scheme.has_tls() => {
            return Err(Exit::Usage.because(format!("--no-tls contradicts {scheme}://")));
        }
        (Scheme::Unix, _) if args.tls.is_wanted() => {
            return Err(Exit::Usage.because("there is no TLS on a unix socket"));
        }
        (Scheme::Unix, _) if args.port.is_some() => {
            return Err(Exit::Usage.because("a unix socket has no port; leave --port out"));
        }
        (_, true) => {}
        (scheme, false) if args.tls.is_wanted() || is_usual_port => {
            endpoint.scheme = scheme.with_tls();
        }
        _ => {}
    }
    if args.ws {
        endpoint.scheme = endpoint.scheme.with_websocket();
    }
    if !has_port {
        endpoint.port = endpoint.scheme.default_port();
    }
    match (&args.ws_path, endpoint.scheme.has_websocket()) {
        (Some(path), true) if path.starts_with('/') => endpoint.path.clone_from(path),
        (Some(path), true) => endpoint.path = format!("/{path}"),
        (None, true) if endpoint.path.is_empty() => endpoint.path = DEFAULT_PATH.to_owned(),
        (None, false) if !args.ws_header.is_empty() => return Err(no_websocket("--ws-header")),
        (Some(_), false) => return Err(no_websocket("--ws-path")),
        (None, _) => {}
    }
    Ok(endpoint)
}

/// An address of this machine; of a name the first one.
fn own_address(text: &str) -> anyhow::Result<IpAddr> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let found = (text, 0).to_socket_addrs();
    let address = found.map(|mut addresses| addresses.next());
    match address {
        Ok(Some(address)) => Ok(address.ip()),
        _ => Err(Exit::Usage.because(format!("--bind {text}: no such address or name"))),
    }
}

/// SRV records name hosts and ports themselves, and only for MQTT over TCP and TLS.
fn check_srv(
    args: &ConnectionArgs,
    endpoint: &Endpoint,
    url: Option<&BrokerUrl>,
) -> anyhow::Result<()> {
    if !args.srv {
        return Ok(());
    }
    let words = match endpoint.scheme {
        Scheme::Mqtt | Scheme::Mqtts if url.is_some_and(|url| url.has_port) => {
            "--srv finds the port itself; leave it out of the URL".to_owned()
        }
        Scheme::Mqtt | Scheme::Mqtts if endpoint.host.parse::<IpAddr>().is_ok() => {
            "--srv needs the name of a domain, not an address".to_owned()
        }
        Scheme::Mqtt | Scheme::Mqtts => return Ok(()),
        other => format!("--srv knows mqtt:// and mqtts:// only, not {other}://"),
    };
    Err(Exit::Usage.because(words))
}

fn no_websocket(option: &str) -> anyhow::Error {
    Exit::Usage.because(format!(
        "{option} needs WebSocket; add --ws, or use --url ws[s]://HOST"
    ))
}

fn parse_url(url: &str, source: &str) -> anyhow::Result<BrokerUrl> {
    // The URL is not repeated: it may hold a password.
    url.parse()
        .map_err(|error| Exit::Usage.because(format!("{source}: {error}")))
}

fn text(value: OsString, name: &str) -> anyhow::Result<String> {
    value
        .into_string()
        .map_err(|_| Exit::Usage.because(format!("{name} is not UTF-8 text")))
}

fn host_name(host: &str) -> anyhow::Result<String> {
    let bracketed = host.strip_prefix('[');
    let bare = bracketed.and_then(|host| host.strip_suffix(']'));
    if let Some((address, port)) = bracketed.and_then(|host| host.split_once("]:")) {
        return Err(Exit::Usage.because(format!(
            "{host} is an address with a port: use --host {address} --port {port}"
        )));
    }
    match (bare, host.split_once(':')) {
        (Some(address), _) => Ok(address.to_owned()),
        (None, _) if host.is_empty() => Err(Exit::Usage.because("--host is empty")),
        (None, _) if host.contains("://") => {
            Err(Exit::Usage.because(format!("{host} is a URL: use --url {host}")))
        }
        (None, Some((name, port))) if !port.contains(':') => Err(Exit::Usage.because(format!(
            "{host} is a host with a port: use --host {name} --port {port}"
        ))),
        (None, _) => Ok(host.to_owned()),
    }
}

/// 20 characters, which with only letters and digits every broker of any version accepts (3.1.3.1).
fn random_client_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(std::process::id());
    format!("mqtt{random:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::connection::{SessionArgs, WillArgs};
    use crate::mqtt::QoS;
    use clap::Parser;
    use std::io::Write;

    #[derive(Parser)]
    #[command(disable_help_flag = true)]
    struct Options {
        #[command(flatten)]
        connection: ConnectionArgs,
        #[command(flatten)]
        session: SessionArgs,
        #[command(flatten)]
        will: WillArgs,
    }

    fn options(typed: &[&str]) -> Options {
        Options::parse_from([&["mqtt"], typed].concat())
    }

    fn meant(typed: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Target> {
        let environment = |name: &str| {
            let value = environment.iter().find(|(variable, _)| *variable == name);
            value.map(|(_, value)| OsString::from(value))
        };
        target_in(&options(typed).connection, environment)
    }

    fn summary(typed: &[&str], environment: &[(&str, &str)]) -> String {
        let Target { options, topic } = meant(typed, environment).unwrap();
        let password = options.password.unwrap_or_else(|| Bytes::from("-"));
        format!(
            "{} {} {} {}",
            options.endpoint,
            options.username.as_deref().unwrap_or("-"),
            String::from_utf8_lossy(&password),
            match &topic {
                Some(UrlTopic::Typed(topic)) => topic,
                Some(UrlTopic::Environment(topic)) => topic,
                None => "-",
            }
        )
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_the_nearer_source_over_the_farther() {
        let url = ("MQTT_URL", "mqtt://eve:secret@far:7/topic");
        for (typed, environment, expected) in [
            (&[][..], &[][..], "mqtt://localhost:1883 - - -"),
            (&[], &[("MQTT_URL", "")], "mqtt://localhost:1883 - - -"),
            (&[], &[url], "mqtt://far:7 eve secret topic"),
            (&["-h", "near"], &[url], "mqtt://near:1883 - - -"),
            (&["-p", "8"], &[url], "mqtt://far:8 eve secret topic"),
            (&["-u", "bob"], &[url], "mqtt://far:7 bob secret topic"),
            (&["-L", "mqtt://near/a"], &[url], "mqtt://near:1883 - - a"),
            (
                &[],
                &[url, ("MQTT_USERNAME", "ann"), ("MQTT_PASSWORD", "pw")],
                "mqtt://far:7 ann pw topic",
            ),
            (
                &["-L", "mqtt://bob:b@near"],
                &[("MQTT_USERNAME", "ann"), ("MQTT_PASSWORD", "pw")],
                "mqtt://near:1883 bob b -",
            ),
            (
                &["-u", "bob", "-P", "b"],
                &[("MQTT_USERNAME", "ann"), ("MQTT_PASSWORD", "pw")],
                "mqtt://localhost:1883 bob b -",
            ),
            (
                &["-h", "::1", "-u", "bob"],
                &[("MQTT_PASSWORD", "pw")],
                "mqtt://[::1]:1883 bob pw -",
            ),
        ] {
            assert_eq!(summary(typed, environment), expected, "{typed:?}");
        }
    }

    #[test]
    fn a_password_file_gives_its_first_line() {
        let path = std::env::temp_dir().join(format!("mqtt-password-{}", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(b"p w\xff\r\nsecond line\n").unwrap();
        let typed = ["-u", "bob", "--password-file", path.to_str().unwrap()];
        let password = meant(&typed, &[("MQTT_PASSWORD", "other")])
            .unwrap()
            .options
            .password;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(password.as_deref(), Some(&b"p w\xff"[..]));
    }

    #[test]
    fn mistakes_are_usage_errors_that_say_what_to_write() {
        for (typed, environment, words) in [
            (
                &["-P", "pw"][..],
                &[][..],
                "a password without a user name cannot be sent with MQTT 3.1.1; add --username",
            ),
            (
                &["-h", "localhost:1884"],
                &[],
                "localhost:1884 is a host with a port: use --host localhost --port 1884",
            ),
            (
                &["-h", "[::1]:1884"],
                &[],
                "[::1]:1884 is an address with a port: use --host ::1 --port 1884",
            ),
            (&["--unix", ""], &[], "--unix is empty"),
            (
                &["-h", "mqtt://h"],
                &[],
                "mqtt://h is a URL: use --url mqtt://h",
            ),
            (
                &["-L", "http://u:pw@h"],
                &[],
                "--url: unsupported scheme http://; use mqtt, mqtts, ws, wss or unix",
            ),
            (
                &[],
                &[("MQTT_URL", "h")],
                "MQTT_URL: no scheme; a broker URL looks like mqtt://HOST[:PORT][/TOPIC]",
            ),
        ] {
            let error = meant(typed, environment).err().unwrap();
            assert_eq!(format!("{error:#}"), words);
            assert_eq!(crate::exit::of(&error), Exit::Usage);
        }
    }

    #[test]
    fn a_missing_password_file_is_named() {
        let error = meant(&["-u", "b", "--password-file", "/nonexistent/pw"], &[])
            .err()
            .unwrap();
        let words = format!("{error:#}");
        assert!(
            words.starts_with("cannot read --password-file \"/nonexistent/pw\": "),
            "{words}"
        );
        assert_eq!(crate::exit::of(&error), Exit::Failed);
    }

    #[test]
    fn a_kept_session_needs_a_name() {
        for typed in [
            &["-c"][..],
            &["-c", "-I", "prefix"],
            &["-c", "-I", "prefix", "-x", "never"],
            &["-c", "-x", "5"],
            &["-c", "--id", ""],
        ] {
            let mut options_meant = meant(typed, &[]).unwrap().options;
            let error = set_session(&mut options_meant, &options(typed).session).unwrap_err();
            assert_eq!(crate::exit::of(&error), Exit::Usage, "{typed:?}");
        }
        let mut kept = meant(&[], &[]).unwrap().options;
        set_session(&mut kept, &options(&["-c", "-i", "me"]).session).unwrap();
        assert_eq!(kept.client_id, "me");
        assert!(!kept.clean_start);
    }

    #[test]
    fn a_will_has_a_topic_without_wildcards() {
        assert!(
            will(&options(&[]).will, &mut meant(&[], &[]).unwrap().options)
                .unwrap()
                .is_none()
        );
        assert!(
            will(
                &options(&["--will-topic", "a/#"]).will,
                &mut meant(&[], &[]).unwrap().options
            )
            .is_err()
        );
        let typed = [
            "--will-topic",
            "a",
            "--will-payload",
            "-1",
            "--will-qos",
            "2",
        ];
        let will = will(&options(&typed).will, &mut meant(&[], &[]).unwrap().options)
            .unwrap()
            .unwrap();
        assert_eq!((&*will.topic, &*will.payload), ("a", &b"-1"[..]));
        assert_eq!(will.qos, QoS::ExactlyOnce);
    }

    #[test]
    fn two_clients_have_different_ids() {
        assert_ne!(random_client_id(), random_client_id());
        assert!(random_client_id().len() <= 23);
    }
}
