//! Every option of mosquitto's three clients, but for `--help`, `--version` and `-D`, which the loop itself knows.

use std::ffi::OsStr;

use super::given::{Given, Outcome, Source};
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

/// What an option does with its value, or says about it.
pub(super) enum Act {
    /// Keeps the value under the option's first name.
    Keep,
    /// Turns its first name on.
    TurnOn,
    /// Something of its own.
    Do(fn(&mut Given, &OsStr) -> Outcome),
}

impl MosquittoOption {
    /// Does what the option does.
    ///
    /// # Errors
    /// What mosquitto's client says of the value.
    pub(super) fn act(&self, given: &mut Given, value: &OsStr) -> Outcome {
        match self.act {
            Act::Keep => given.set(self.names[0], value),
            Act::TurnOn => given.turn_on(self.names[0]),
            Act::Do(act) => act(given, value),
        }
    }
}

const ALL: &[Program] = &[Pub, Sub, Rr];
const PRINTING: &[Program] = &[Sub, Rr];
const SENDING: &[Program] = &[Pub, Rr];

/// An option with a value, and what becomes of it.
const fn value(
    names: &'static [&'static str],
    programs: &'static [Program],
    missing: &'static str,
    act: fn(&mut Given, &OsStr) -> Outcome,
) -> MosquittoOption {
    MosquittoOption {
        names,
        programs,
        value: Some(missing),
        act: Act::Do(act),
    }
}

/// An option whose value is passed on as it is.
const fn kept(
    names: &'static [&'static str],
    programs: &'static [Program],
    missing: &'static str,
) -> MosquittoOption {
    MosquittoOption {
        act: Act::Keep,
        ..value(names, programs, missing, |_, _| Ok(()))
    }
}

/// An option without a value, and what it does.
const fn told(
    names: &'static [&'static str],
    programs: &'static [Program],
    act: fn(&mut Given, &OsStr) -> Outcome,
) -> MosquittoOption {
    MosquittoOption {
        value: None,
        ..value(names, programs, "", act)
    }
}

/// An option without a value that is passed on.
const fn switch(names: &'static [&'static str], programs: &'static [Program]) -> MosquittoOption {
    MosquittoOption {
        act: Act::TurnOn,
        ..told(names, programs, |_, _| Ok(()))
    }
}

/// The list. What our commands call the same is passed on under its first name.
pub(super) const OPTIONS: &[MosquittoOption] = &[
    kept(&["-A"], ALL, "-A argument given but no address"),
    told(&["-c", "--disable-clean-session"], ALL, |given, _| {
        given.keep_session()
    }),
    value(
        &["-C"],
        &[Sub],
        "-C argument given but no count",
        Given::count,
    ),
    switch(&["-d", "--debug"], ALL),
    value(
        &["-e"],
        &[Rr],
        "-e argument given but no response topic",
        Given::response_topic,
    ),
    switch(&["-E"], &[Sub]),
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
    told(&["-l", "--stdin-line"], &[Pub], |given, value| {
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
    told(&["-n", "--null-message"], SENDING, |given, value| {
        given.payload(Source::Empty, value)
    }),
    switch(&["-N"], PRINTING),
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
        Given::set_port,
    ),
    kept(&["-P", "--pw"], ALL, "-P argument given but no password"),
    value(
        &["-q", "--qos"],
        ALL,
        "-q argument given but no QoS",
        Given::qos,
    ),
    switch(&["-r", "--retain"], &[Pub]),
    switch(&["-R"], PRINTING),
    told(&["-s", "--stdin-file"], SENDING, |given, value| {
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
    kept(
        &["-u", "--username"],
        ALL,
        "-u argument given but no username",
    ),
    value(
        &["-U", "--unsubscribe"],
        &[Sub],
        "-U argument given but no unsubscribe topic",
        Given::unsubscribe,
    ),
    switch(&["-v", "--verbose"], PRINTING),
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
    kept(&["--cafile"], ALL, "--cafile argument given but no file"),
    kept(
        &["--capath"],
        ALL,
        "--capath argument given but no directory",
    ),
    kept(&["--cert"], ALL, "--cert argument given but no file"),
    kept(
        &["--ciphers"],
        ALL,
        "--ciphers argument given but no ciphers",
    ),
    switch(&["--insecure"], ALL),
    value(
        &["--json-compat"],
        PRINTING,
        "--json-compat argument given but no version",
        Given::json_compat,
    ),
    kept(&["--key"], ALL, "--key argument given but no file"),
    kept(
        &["--keyform"],
        ALL,
        "--keyform argument given but no keyform",
    ),
    switch(&["--latency"], &[Rr]),
    switch(&["--no-tls"], ALL),
    switch(&["--nodelay"], ALL),
    switch(&["--pretty"], PRINTING),
    value(
        &["--proxy"],
        ALL,
        "--proxy argument given but no proxy url",
        Given::proxy,
    ),
    kept(&["--psk"], ALL, "--psk argument given but no key"),
    kept(
        &["--psk-identity"],
        ALL,
        "--psk-identity argument given but no identity",
    ),
    switch(&["--quiet"], ALL),
    value(
        &["--random-filter"],
        &[Sub],
        "--random-filter argument given but no chance",
        Given::random_filter,
    ),
    switch(&["--remove-retained"], &[Sub]),
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
    switch(&["--retain-as-published"], PRINTING),
    value(
        &["--retain-handling"],
        PRINTING,
        "--retain-handling argument given but no option",
        Given::retain_handling,
    ),
    switch(&["--retained-only"], &[Sub]),
    told(&["--strict"], ALL, |given, _| given.be_strict()),
    kept(
        &["--tls-alpn"],
        ALL,
        "--tls-alpn argument given but no protocol",
    ),
    kept(
        &["--tls-engine"],
        ALL,
        "--tls-engine argument given but no engine_id",
    ),
    kept(
        &["--tls-engine-kpass-sha1"],
        ALL,
        "--tls-engine-kpass-sha1 argument given but no kpass sha1",
    ),
    kept(
        &["--tls-keylog"],
        ALL,
        "--tls-keylog argument given but no file",
    ),
    switch(&["--tls-use-os-certs"], ALL),
    kept(
        &["--tls-version"],
        ALL,
        "--tls-version argument given but no version",
    ),
    value(
        &["--unix"],
        ALL,
        "--unix argument given but no socket path",
        Given::unix,
    ),
    kept(
        &["--will-payload"],
        ALL,
        "--will-payload argument given but no will payload",
    ),
    value(
        &["--will-qos"],
        ALL,
        "--will-qos argument given but no will QoS",
        Given::will_qos,
    ),
    switch(&["--will-retain"], ALL),
    value(
        &["--will-topic"],
        ALL,
        "--will-topic argument given but no will topic",
        Given::will_topic,
    ),
    switch(&["--ws"], ALL),
];

/// The option with this name, if this program knows it.
pub(super) fn find(program: Program, word: &OsStr) -> Option<&'static MosquittoOption> {
    OPTIONS.iter().find(|option| {
        option.names.iter().any(|name| word == *name) && option.programs.contains(&program)
    })
}
