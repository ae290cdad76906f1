//! What `--help` and the man pages say beyond the options: examples, exit statuses, environment.
//!
//! Both are made from the clap definitions and from these words, so neither can say what the other does not.

mod bench;
mod context;

pub use self::bench::{
    BENCH, BENCH_AGENT, BENCH_CALIBRATE, BENCH_COMPARE, BENCH_MAX, BENCH_REPORT,
};
pub use self::context::{
    CONTEXT, CONTEXT_ADD, CONTEXT_LS, CONTEXT_RM, CONTEXT_SELECT, CONTEXT_SHOW,
};

use crate::exit;

/// The words for one command that clap does not know.
#[derive(Debug)]
pub struct Page {
    /// The command's name, with a verb behind it where the page is the verb's; empty for `mqtt` itself.
    pub command: &'static str,
    /// Paragraphs of the man page's DESCRIPTION, after the first line of the help.
    pub description: &'static [&'static str],
    /// What one wants to do, and the shell line that does it.
    pub examples: &'static [(&'static str, &'static str)],
    /// Environment variables and what they do.
    pub environment: &'static [(&'static str, &'static str)],
}

const NO_COLOR: (&str, &str) = (
    "NO_COLOR",
    "when set and not empty, nothing is printed in colour",
);

const XDG_CONFIG_HOME: (&str, &str) = (
    "XDG_CONFIG_HOME",
    "where the folder mqtt with the contexts is, instead of ~/.config",
);

/// The environment of every command that connects to a broker.
const CONNECTING: &[(&str, &str)] = &[
    (
        "MQTT_URL",
        "the broker, as for --url, when neither --url nor --host is given",
    ),
    (
        "MQTT_USERNAME",
        "the user name, when neither --username nor a URL gives one",
    ),
    (
        "MQTT_PASSWORD",
        "the password, when no option and no URL gives one",
    ),
    (
        "ALL_PROXY, HTTPS_PROXY, http_proxy",
        "the proxy, when --proxy does not name one: ALL_PROXY for every connection, HTTPS_PROXY before it for those with TLS, \
         http_proxy before it for ws://; in small letters too",
    ),
    (
        "MQTT_NAMESERVER",
        "the name server to ask, when --nameserver does not say",
    ),
    (
        "NO_PROXY",
        "hosts, domains and networks that these do not count for, separated by commas; this machine itself never needs a proxy",
    ),
    (
        "MQTT_CONTEXT",
        "the context, when neither --context nor anything else names a broker",
    ),
    XDG_CONFIG_HOME,
    (
        "SSLKEYLOGFILE",
        "where to append the secrets of TLS connections, when --tls-key-log does not say",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "the certificates this system trusts, when they are not in the usual place",
    ),
    NO_COLOR,
];

/// The environment of the commands that only look after files.
const CONFIGURED: &[(&str, &str)] = &[XDG_CONFIG_HOME, NO_COLOR];

/// How TLS is asked for and what it checks; for every command that connects to a broker.
const ENCRYPTED: &str = "The connection is encrypted when the URL begins with mqtts:// or wss://, when any TLS option is given, or when the port is 8883 and \
     there is no URL. The broker's certificate then has to come from an issuer that is trusted, be valid today, and name the host; an error says which \
     of these failed and what the certificate says instead. --tls-pin asks for a certain key on top of this, and with --insecure \
     instead of it. With --cafile or --capath, --insecure only leaves out the name, as in mosquitto's clients.";

/// What becomes of a connection that fails; for the clients.
const FAILING: &str = "A broker that is not reached is tried again only with --retry, and the same number then counts for a connection that is lost later. \
     With -V auto, the default of req and reply, the client speaks MQTT 5, and 3.1.1 to a broker that refuses 5; one that closes the connection without a \
     word is tried with 3.1.1 once. Standard error says so. -V 5 is 5 or nothing, and so is every option that only MQTT 5 can say; pub and sub \
     speak 3.1.1 unless something else is asked for, as mosquitto's clients do. A broker that names another one, when it refuses or later in its \
     DISCONNECT, is left for that one with --follow-redirects, user name and password included, but never from TLS to a connection without, nor \
     in a circle, nor more than five times in a row; without it, standard error says which broker was named.";

/// What becomes of a connection whose client is busy; for those that print what they receive.
const WAITING: &str = "While the reader of standard output or the commands of --exec are slow, the broker has to wait: messages stay unacknowledged, and what is not \
     read fills no memory here. The keep alive goes on meanwhile, so that the connection stays.";

/// SRV and TLS; for every command that connects to a broker.
const SRV: &str = "With --srv the hosts of a domain are tried in the order of their SRV records. TLS still expects the name that was typed, because \
     anybody may have answered for DNS; --tls-server-name gives another. --nameserver asks a certain name server, for SRV records as for addresses.";

/// What a URL may be; for every command that connects to a broker.
const URLS: &str = "A URL is mqtt://, mqtts://, ws://, wss:// or unix://. After mqtt://HOST/ and mqtts://HOST/ stands a topic, as in mosquitto's -L; after \
     ws://HOST/ and wss://HOST/ the path that the WebSocket server is asked for, so the topic has to be given with -t. Codes such as \
     %20 are decoded in user name, password, topic and the path of a unix socket.";

/// The page of `mqtt` itself.
pub const MQTT: Page = Page {
    command: "",
    description: &[
        "The broker, the publisher and the subscriber speak MQTT 3.1, 3.1.1 and 5 and work with any other \
         broker or client. Options of pub and sub have the letters and the meaning they have in mosquitto_pub and \
         mosquitto_sub.",
        "What a command was asked for goes to standard output; everything it has to say about its work goes to \
         standard error. Help is --help: -h is the host.",
    ],
    examples: &[
        ("Start a broker", "mqtt serve"),
        (
            "Print what arrives, in a second terminal",
            "mqtt sub -t 'home/#' -v",
        ),
        (
            "Publish, in a third",
            "mqtt pub -t home/kitchen/temperature -m 21.5",
        ),
        (
            "Measure the broker this program contains",
            "mqtt bench --serve",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt serve`.
pub const SERVE: Page = Page {
    command: "serve",
    description: &[
        "Accepts connections until it is stopped with an interrupt or SIGTERM. MQTT 3.1, 3.1.1 and 5 are told apart on the same \
         port. Sessions, their queues and retained messages are held in memory and end with the broker.",
        "Publishers are held back for a subscriber that does not keep up, but for no longer than a second at a time: after that, and while a \
         client with a persistent session is away, no more than --max-queued messages are kept for it and newer ones are dropped. Once it has caught \
         up, standard error says how many.",
        "MQTT 5 clients are told what they may do: the longest packet (--max-packet-size), the keep alive they have to keep to (--max-keep-alive), \
         how many publishes above QoS 0 they may have under way (--receive-maximum), each only where it is less than MQTT itself allows. Older clients \
         cannot be told: they may have any number of publishes under way, and are refused when their keep alive is too long.",
        "An MQTT 5 client that asks for response information is told $response/ and 16 hexadecimal digits: the root of topics for \
         replies to it. The digits are the same for every session of its client id, nobody else can work them out, and # does not match them.",
        "As soon as connections are accepted it prints one line, listening on mqtt://ADDRESS:PORT, which scripts \
         can wait for.",
        "Every option but --config and --print-config may also stand in the TOML file of --config, under its long name: port = 1883, \
         verbose = 2, json = true, sys-interval = \"1m\", trace-client = [\"a\", \"b\"]. What is typed wins over the \
         environment, and the environment over the file. A key that is no option is an error. --print-config prints what is \
         in effect as such a file, with a word on each line about where it comes from.",
    ],
    examples: &[
        ("For programs on this machine, on port 1883", "mqtt serve"),
        (
            "For the network, with a line for every connect, disconnect and subscribe",
            "mqtt serve -h 0.0.0.0 -v",
        ),
        (
            "In a script: any free port, and a file that appears when connections are accepted",
            "mqtt serve -p 0 --ready-file broker.ready",
        ),
        (
            "Write a configuration file to start from",
            "mqtt serve --max-queued 1000 --print-config > broker.toml",
        ),
        (
            "Serve as it says, but on another port",
            "mqtt serve --config broker.toml -p 1884",
        ),
    ],
    environment: &[
        (
            "MQTT_SERVE_CONFIG",
            "the configuration file, when --config does not name one",
        ),
        (
            "MQTT_SERVE_*",
            "any other option that is not typed, by its long name: MQTT_SERVE_MAX_QUEUED for --max-queued; switches are \
             true or false; an option that may be repeated has one value here; empty is as good as not set",
        ),
        NO_COLOR,
    ],
};

/// The page of `mqtt pub`.
pub const PUB: Page = Page {
    command: "pub",
    description: &[
        "Ends when every message has been acknowledged; at QoS 0, when it has been handed to the operating system.",
        "A connection that is lost is made again, and what was not acknowledged is sent again.",
        "With --json a line is an object with a topic (or --topic gives it) and a payload: text, null for no bytes, or any \
         other JSON, which is sent as it stands; payload_base64 instead holds bytes that are no text. qos and retain, \
         payload_format_indicator, message_expiry_interval, content_type, response_topic, correlation_data or \
         correlation_data_base64 and user_properties ([[\"name\", \"value\"]] or an object) are optional and win over the options; every \
         other member is passed over. These are the names mqtt sub --json prints, so one is the way into the other.",
        "A line that is no message, or names no topic that can be published to, is reported with its number and not sent. The \
         lines after it are sent all the same, and the status is 1 at the end; 5 when the broker refused a message.",
        "With --template {{count}} is the number of the message, from 1; {{now}} the time in UTC, {{now s}}, ms, us or ns that since \
         1970; {{uuid}} a random UUID; {{rand 1 6}} a whole number and {{rand 15.0 25.0}} one with as many decimals, both bounds \
         included; {{env NAME}} an environment variable. {{{{ stands for {{.",
        "--report-acks prints an object for each step of each message: event is accepted, sent (with packet_id, and dup when it is \
         sent again; at QoS 0 the last step), acknowledged or refused (with reason, and reason_code when it is the broker's). number counts \
         the messages from 1.",
        "With --spool a message is written to the folder DIR before it is sent and removed from it when its handshake is complete, so that it \
         outlives the program and, unless --spool-sync never was given, the machine. While the broker is away, messages are taken in until \
         --spool-limit; a stream waits for the broker for as long as there is input, and about a minute after it. What is left then, after a \
         crash or a kill -9 is delivered by the next mqtt pub --spool DIR, before its own messages, or by --drain alone. The spool \
         has a client id and a persistent session, under which messages go out again with the packet identifiers they had: at QoS 1 none is \
         lost, at QoS 2 none is lost or arrives twice. A broker that has lost the session gets them as if for the first time; those of QoS 2 may \
         then arrive twice, and standard error says so. So does another broker, which is any that has another URL. A message the broker refuses leaves the spool. One process at a time can use a \
         spool; what an earlier run left is sent with the connection options of this one. A message expiry interval counts from when the broker \
         has the message.",
        "--require-subscribers depends on what the broker says: some, mosquitto among them, know of subscribers at QoS 1 only.",
        URLS,
        ENCRYPTED,
        SRV,
        FAILING,
    ],
    examples: &[
        (
            "One message",
            "mqtt pub -t home/kitchen/temperature -m 21.5",
        ),
        (
            "The same, acknowledged, and kept by the broker for those who subscribe later",
            "mqtt pub -t home/kitchen/temperature -m 21.5 -q 1 -r",
        ),
        (
            "Remove the message that was kept",
            "mqtt pub -t home/kitchen/temperature -n -r",
        ),
        (
            "Every line of standard input as a message",
            "tail -f app.log | mqtt pub -t log/app -l -q 1",
        ),
        (
            "A file as one message, to a broker named by a URL",
            "mqtt pub -L mqtt://user@broker.example -t picture -f picture.jpg",
        ),
        (
            "Over TLS, to a broker with a certificate of its own authority",
            "mqtt pub -h broker.example --cafile ca.crt -t home/kitchen/temperature -m 21.5",
        ),
        (
            "Ten messages, two a second",
            "mqtt pub -t tick -m now --repeat 10 --repeat-delay 500ms",
        ),
        (
            "From one broker to another, byte for byte",
            "mqtt sub -h here -t '#' --json | mqtt pub -h there --json -q 1",
        ),
        (
            "A hundred numbered messages a second for a minute, each with a random name",
            "mqtt pub -t load/{{count}} --template -m {{uuid}} --repeat 6000 --rate 100",
        ),
        (
            "Measurements that survive an outage of the broker and of this machine",
            "sensor | mqtt pub -h broker.example -t sensor/7 -q 1 -l --spool /var/spool/sensor",
        ),
        (
            "Deliver what such a run has left",
            "mqtt pub -h broker.example --spool /var/spool/sensor --drain",
        ),
        (
            "File names and sizes, a topic a line",
            "find . -printf 'files/%f=%s\\n' | mqtt pub -l --topic-from =",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt sub`.
pub const SUB: Page = Page {
    command: "sub",
    description: &[
        "Prints one payload a line until it is stopped, or until -C messages have come, or the time of -W is over.",
        "A connection that is lost is made again, with a growing delay, and the topics are subscribed again; standard error \
         tells. Only when another client has taken the session, by connecting with the same id, the command ends with status 7, \
         because two that come back each time throw each other out for ever; see --takeover.",
        URLS,
        ENCRYPTED,
        SRV,
        WAITING,
        FAILING,
    ],
    examples: &[
        (
            "Everything below home, with the topic before each payload",
            "mqtt sub -t 'home/#' -v",
        ),
        (
            "The next message, for at most ten seconds",
            "mqtt sub -t home/kitchen/temperature -C 1 -W 10",
        ),
        (
            "One JSON object a message, for other programs",
            "mqtt sub -t '#' --json | jq -r .topic",
        ),
        (
            "Miss nothing while away: a session the broker keeps",
            "mqtt sub -t 'log/#' -q 1 -c -i archive >> log.txt",
        ),
        (
            "Only kitchens that are too warm, each at most once a minute",
            "mqtt sub -t 'home/#' -v --where 'topic[1]=kitchen' --where '/temperature>25' --throttle 1m",
        ),
        (
            "A work queue: each job is acknowledged when the command has done it, four at a time, shared with other workers",
            "mqtt sub -i worker-1 -c -q 1 -t '$share/workers/jobs' --exec-workers 4 --ack-after-exec --exec ./work",
        ),
        (
            "A log by the day, of which a week is kept",
            "mqtt sub -t 'log/#' --json --output 'log-%Y-%m-%d.json' --keep 7",
        ),
        (
            "Copy what is below home to another broker, as it is",
            "mqtt sub -t 'home/#' --json | mqtt pub -h other.example --json",
        ),
        (
            "Alarms without loss, the rest as it comes",
            "mqtt sub -t 'alarm/#' -q 1 -t 'state/#' -q 0 -v",
        ),
        (
            "Through a web server that speaks MQTT over WebSocket",
            "mqtt sub -L wss://broker.example/mqtt -t 'home/#'",
        ),
        (
            "What the broker has kept, and no more",
            "mqtt sub -t '#' -v --retained-only",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt req`.
pub const REQ: Page = Page {
    command: "req",
    description: &[
        "Subscribes to the response topic, publishes the request, prints the first reply and ends; with --replies, after so many.",
        "With MQTT 5 the request says where to reply and carries correlation data; a reply with other correlation data \
         belongs to another request and is not printed. Retained messages are no replies. Before MQTT 5 a response topic has \
         to be agreed on and given.",
        "Without --response-topic the broker is asked for response information, and a topic of our own begins with it; with reply/ \
         where the broker gives none.",
        "At QoS 1 and 2 an MQTT 5 broker that knows of no subscriber says so, and the command ends at once with status 5.",
        FAILING,
    ],
    examples: &[
        (
            "Ask a device, for at most five seconds",
            "mqtt req -t device/7/get -m status -q 1 -W 5",
        ),
        (
            "Ask everyone, print three answers and how long each took",
            "mqtt req -t all/ping -n --replies 3 --latency",
        ),
        (
            "With MQTT 3.1.1, on a response topic both sides know",
            "mqtt req -V 311 -t device/7/get -e device/7/reply -m status",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt reply`.
pub const REPLY: Page = Page {
    command: "reply",
    description: &[
        "Subscribes to the topics of the requests and answers each until it is stopped. With MQTT 5 the reply goes to the \
         request's response topic with its correlation data, which is what mqtt req and mosquitto_rr wait for.",
        "A request without a response topic, and every request before MQTT 5, is answered on its own topic with /reply behind \
         it: a request on device/7/get is answered on device/7/get/reply. --response-topic names another convention, \
         answers/%t for example. A reply that would be a request again, because it matches --topic, is not sent and \
         standard error says so: two that reply would answer each other for ever.",
        "A request of QoS 1 or 2 is acknowledged when the broker has acknowledged its reply, or when there will be none. While the \
         broker takes no replies they wait, 65536 of them or 16 MiB; beyond that, requests of QoS 0 are left unanswered, and \
         standard error says how many.",
        "--delay and --fail make it as slow and as unreliable as the device it stands for.",
        FAILING,
    ],
    examples: &[
        (
            "A device that answers what it is asked",
            "mqtt reply -t 'device/+/get' --echo",
        ),
        (
            "One with a temperature, slow and at times deaf",
            "mqtt reply -t device/7/get -m 21.5 --delay 50ms..2s --fail 5%",
        ),
        (
            "The reply is made of the request",
            "mqtt reply -t 'device/+/get' -F '{\"topic\":\"%t\",\"asked\":\"%p\",\"time\":@s}'",
        ),
        (
            "A program answers, four requests at a time",
            "mqtt reply -t service/sum -q 1 --exec-workers 4 --exec jq add",
        ),
        (
            "Before MQTT 5, for mqtt req -V 311 -t device/7/get -e device/7/get/reply -n",
            "mqtt reply -V 311 -t device/7/get -m 21.5",
        ),
    ],
    environment: CONNECTING,
};

/// Where the options of a connection come from; for every command that connects to a broker.
const CONTEXTS: &str = "What is not typed is taken from the context of --context, then from MQTT_URL, MQTT_USERNAME and MQTT_PASSWORD. Only when none \
     of these names a broker, one more file counts: the context of MQTT_CONTEXT, or else the nearest .mqtt.toml in this folder and those above, \
     or else the selected context. It counts as a whole, so that nobody's password goes to another broker; last come the defaults. \
     --context '' leaves all of them aside. mqtt context show says what applies here, and why.";

/// The page of `mqtt install-links`.
pub const INSTALL_LINKS: Page = Page {
    command: "install-links",
    description: &[
        "Under the names mosquitto_pub, mosquitto_sub and mosquitto_rr this program takes the command lines of mosquitto's \
         clients as they are: no clustered letters, no --option=value, configuration files below XDG_CONFIG_HOME or \
         ~/.config, the same output, messages and exit statuses. docs/mosquitto.md lists the few differences; --strict, \
         typed or in the configuration file, gives mosquitto's exit status where it calls a failure a success.",
        "Nothing is made when one of the names belongs to something else, unless --force is given.",
    ],
    examples: &[(
        "Put mosquitto's names before those of the system",
        "mqtt install-links ~/.local/bin",
    )],
    environment: &[
        (
            "XDG_CONFIG_HOME, HOME",
            "where mosquitto_pub, mosquitto_sub and mosquitto_rr look for the configuration file of their name",
        ),
        NO_COLOR,
    ],
};

/// Every page, `mqtt` first; what belongs to a command after it.
pub const ALL: [&Page; 19] = [
    &MQTT,
    &SERVE,
    &PUB,
    &SUB,
    &REQ,
    &REPLY,
    &BENCH,
    &BENCH_REPORT,
    &BENCH_COMPARE,
    &BENCH_MAX,
    &BENCH_CALIBRATE,
    &BENCH_AGENT,
    &CONTEXT,
    &CONTEXT_ADD,
    &CONTEXT_LS,
    &CONTEXT_SHOW,
    &CONTEXT_SELECT,
    &CONTEXT_RM,
    &INSTALL_LINKS,
];

impl Page {
    /// What `--help` says under the options.
    pub fn after_help(&self) -> String {
        let mut text = String::from("Examples:\n");
        for (wish, line) in self.examples {
            text += &format!("  {wish}:\n      {line}\n");
        }
        text += "\nEnvironment:\n";
        for (name, meaning) in self.environment {
            text += &format!("  {name}\n      {meaning}\n");
        }
        if self.command.is_empty() {
            text += "\nExit status:\n";
            for (status, meaning) in exit::TABLE {
                text += &format!("  {:>3}  {meaning}\n", status as u8);
            }
        } else {
            text += "\nExit statuses: mqtt --help\n";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn every_command_has_its_page() {
        let cli = crate::cli::definition();
        let mut commands = vec![String::new()];
        for command in cli.get_subcommands() {
            let name = command.get_name();
            commands.push(name.to_owned());
            let verbs = command.get_subcommands();
            commands.extend(verbs.map(|verb| format!("{name} {}", verb.get_name())));
        }
        assert_eq!(commands, ALL.map(|page| page.command));
    }

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_is_a_command_line_that_is_understood() {
        for (_, line) in ALL.iter().flat_map(|page| page.examples) {
            let words = shell_words::split(line).expect("its quotes are paired");
            let command = words
                .split(|word| word == "|")
                .find(|command| command[0] == "mqtt")
                .unwrap_or_else(|| panic!("{line} does not run mqtt"));
            let words = command.iter().take_while(|word| !word.starts_with('>'));
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{line}\n{error}");
            }
        }
    }
}
