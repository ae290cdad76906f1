//! Every option of mosquitto's three clients, but for `--help`, `--version` and `-D`, which the loop itself knows.

use std::ffi::OsStr;

use super::given::{Act, Given, Source};
use crate::dialect::Program::{self, Pub, Rr, Sub};

/// One option.
pub(super) struct MosquittoOption {
    /// As it may be written.
    pub(super) names: &'static [&'static str],
    /// Who knows it.
    pub(super) programs: &'static [Program],
    /// `None` if it takes no value; else what is complained about when there is none, up to its last word `specified`.
    pub(super) value: Option<&'static str>,
    /// What it does.
    pub(super) act: Act,
}

const ALL: &[Program] = &[Pub, Sub, Rr];
const PRINTING: &[Program] = &[Sub, Rr];
const SENDING: &[Program] = &[Pub, Rr];

/// An option with a value.
const fn value(
    names: &'static [&'static str],
    programs: &'static [Program],
    missing: &'static str,
    act: Act,
) -> MosquittoOption {
    MosquittoOption {
        names,
        programs,
        value: Some(missing),
        act,
    }
}

/// An option without one.
const fn switch(
    names: &'static [&'static str],
    programs: &'static [Program],
    act: Act,
) -> MosquittoOption {
    MosquittoOption {
        names,
        programs,
        value: None,
        act,
    }
}

/// The list. What our commands call the same is passed on under its first name.
pub(super) const OPTIONS: &[MosquittoOption] = &[
    value(
        &["-A"],
        ALL,
        "-A argument given but no address",
        |given, value| given.set("-A", value),
    ),
    switch(&["-c", "--disable-clean-session"], ALL, |given, _| {
        given.keep_session()
    }),
    value(
        &["-C"],
        &[Sub],
        "-C argument given but no count",
        Given::count,
    ),
    switch(&["-d", "--debug"], ALL, |given, _| given.turn_on("-d")),
    value(
        &["-e"],
        &[Rr],
        "-e argument given but no response topic",
        Given::response_topic,
    ),
    switch(&["-E"], &[Sub], |given, _| given.turn_on("-E")),
    value(
        &["-f", "--file"],
        SENDING,
        "-f argument given but no file",
        |given, value| given.payload(Source::File, value),
    ),
    value(
        &["-F"],
        PRINTING,
        "-F argument given but no format",
        Given::format,
    ),
    value(
        &["-h", "--host"],
        ALL,
        "-h argument given but no host",
        |given, value| given.host(value),
    ),
    value(
        &["-i", "--id"],
        ALL,
        "-i argument given but no id",
        Given::id,
    ),
    value(
        &["-I", "--id-prefix"],
        ALL,
        "-I argument given but no id prefix",
        Given::id_prefix,
    ),
    value(
        &["-k", "--keepalive"],
        ALL,
        "-k argument given but no keepalive",
        Given::keepalive,
    ),
    switch(&["-l", "--stdin-line"], &[Pub], |given, value| {
        given.payload(Source::Lines, value)
    }),
    value(
        &["-L", "--url"],
        ALL,
        "-L argument given but no URL",
        Given::url,
    ),
    value(
        &["-m", "--message"],
        SENDING,
        "-m argument given but no message",
        |given, value| given.payload(Source::Text, value),
    ),
    value(
        &["-M"],
        ALL,
        "-M argument given but max_inflight not",
        Given::in_flight,
    ),
    switch(&["-n", "--null-message"], SENDING, |given, value| {
        given.payload(Source::Empty, value)
    }),
    switch(&["-N"], PRINTING, |given, _| given.turn_on("-N")),
    value(
        &["-o"],
        ALL,
        "-o argument given but no options file",
        |_, _| Ok(()),
    ),
    value(
        &["-p", "--port"],
        ALL,
        "-p argument given but no port",
        Given::port,
    ),
    value(
        &["-P", "--pw"],
        ALL,
        "-P argument given but no password",
        |given, value| given.set("-P", value),
    ),
    value(
        &["-q", "--qos"],
        ALL,
        "-q argument given but no QoS",
        Given::qos,
    ),
    switch(&["-r", "--retain"], &[Pub], |given, _| given.turn_on("-r")),
    switch(&["-R"], PRINTING, |given, _| given.turn_on("-R")),
    switch(&["-s", "--stdin-file"], SENDING, |given, value| {
        given.payload(Source::Stdin, value)
    }),
    value(
        &["-t", "--topic"],
        ALL,
        "-t argument given but no topic",
        |given, value| given.topic(value, "-t"),
    ),
    value(
        &["-T", "--filter-out"],
        &[Sub],
        "-T argument given but no topic filter",
        Given::filter_out,
    ),
    value(
        &["-u", "--username"],
        ALL,
        "-u argument given but no username",
        |given, value| given.set("-u", value),
    ),
    value(
        &["-U", "--unsubscribe"],
        &[Sub],
        "-U argument given but no unsubscribe topic",
        Given::unsubscribe,
    ),
    switch(&["-v", "--verbose"], PRINTING, |given, _| {
        given.turn_on("-v")
    }),
    value(
        &["-V", "--protocol-version"],
        ALL,
        "--protocol-version argument given but no version",
        Given::version,
    ),
    value(
        &["-W"],
        PRINTING,
        "-W argument given but no timeout",
        Given::timeout,
    ),
    value(
        &["-x"],
        ALL,
        "-x argument given but no session expiry interval",
        Given::session_expiry,
    ),
    value(
        &["--cafile"],
        ALL,
        "--cafile argument given but no file",
        |given, value| given.set("--cafile", value),
    ),
    value(
        &["--capath"],
        ALL,
        "--capath argument given but no directory",
        |given, value| given.set("--capath", value),
    ),
    value(
        &["--cert"],
        ALL,
        "--cert argument given but no file",
        |given, value| given.set("--cert", value),
    ),
    value(
        &["--ciphers"],
        ALL,
        "--ciphers argument given but no ciphers",
        |given, value| given.set("--ciphers", value),
    ),
    switch(&["--insecure"], ALL, |given, _| given.turn_on("--insecure")),
    value(
        &["--json-compat"],
        PRINTING,
        "--json-compat argument given but no version",
        Given::json_compat,
    ),
    value(
        &["--key"],
        ALL,
        "--key argument given but no file",
        |given, value| given.set("--key", value),
    ),
    value(
        &["--keyform"],
        ALL,
        "--keyform argument given but no keyform",
        |given, value| given.set("--keyform", value),
    ),
    switch(&["--latency"], &[Rr], |given, _| given.turn_on("--latency")),
    switch(&["--no-tls"], ALL, |given, _| given.turn_on("--no-tls")),
    switch(&["--nodelay"], ALL, |given, _| given.turn_on("--nodelay")),
    switch(&["--pretty"], PRINTING, |given, _| {
        given.turn_on("--pretty")
    }),
    value(
        &["--proxy"],
        ALL,
        "--proxy argument given but no proxy url",
        Given::proxy,
    ),
    value(
        &["--psk"],
        ALL,
        "--psk argument given but no key",
        |given, value| given.set("--psk", value),
    ),
    value(
        &["--psk-identity"],
        ALL,
        "--psk-identity argument given but no identity",
        |given, value| given.set("--psk-identity", value),
    ),
    switch(&["--quiet"], ALL, |given, _| given.turn_on("--quiet")),
    value(
        &["--random-filter"],
        &[Sub],
        "--random-filter argument given but no chance",
        Given::random_filter,
    ),
    switch(&["--remove-retained"], &[Sub], |given, _| {
        given.turn_on("--remove-retained")
    }),
    value(
        &["--repeat"],
        &[Pub],
        "--repeat argument given but no count",
        Given::repeat,
    ),
    value(
        &["--repeat-delay"],
        &[Pub],
        "--repeat-delay argument given but no time",
        Given::repeat_delay,
    ),
    switch(&["--retain-as-published"], PRINTING, |given, _| {
        given.turn_on("--retain-as-published")
    }),
    value(
        &["--retain-handling"],
        PRINTING,
        "--retain-handling argument given but no option",
        Given::retain_handling,
    ),
    switch(&["--retained-only"], &[Sub], |given, _| {
        given.turn_on("--retained-only")
    }),
    switch(&["--strict"], ALL, |given, _| given.be_strict()),
    value(
        &["--tls-alpn"],
        ALL,
        "--tls-alpn argument given but no protocol",
        |given, value| given.set("--tls-alpn", value),
    ),
    value(
        &["--tls-engine"],
        ALL,
        "--tls-engine argument given but no engine_id",
        |given, value| given.set("--tls-engine", value),
    ),
    value(
        &["--tls-engine-kpass-sha1"],
        ALL,
        "--tls-engine-kpass-sha1 argument given but no kpass sha1",
        |given, value| given.set("--tls-engine-kpass-sha1", value),
    ),
    value(
        &["--tls-keylog"],
        ALL,
        "--tls-keylog argument given but no file",
        |given, value| given.set("--tls-keylog", value),
    ),
    switch(&["--tls-use-os-certs"], ALL, |given, _| {
        given.turn_on("--tls-use-os-certs")
    }),
    value(
        &["--tls-version"],
        ALL,
        "--tls-version argument given but no version",
        |given, value| given.set("--tls-version", value),
    ),
    value(
        &["--unix"],
        ALL,
        "--unix argument given but no socket path",
        Given::unix,
    ),
    value(
        &["--will-payload"],
        ALL,
        "--will-payload argument given but no will payload",
        |given, value| given.set("--will-payload", value),
    ),
    value(
        &["--will-qos"],
        ALL,
        "--will-qos argument given but no will QoS",
        Given::will_qos,
    ),
    switch(&["--will-retain"], ALL, |given, _| {
        given.turn_on("--will-retain")
    }),
    value(
        &["--will-topic"],
        ALL,
        "--will-topic argument given but no will topic",
        Given::will_topic,
    ),
    switch(&["--ws"], ALL, |given, _| given.turn_on("--ws")),
];

/// The option with this name, if this program knows it.
pub(super) fn find(program: Program, word: &OsStr) -> Option<&'static MosquittoOption> {
    OPTIONS.iter().find(|option| {
        option.names.iter().any(|name| word == *name) && option.programs.contains(&program)
    })
}
