//! Pages of `mqtt bench` and its verbs.

use super::{CONNECTING, NO_COLOR, Page};

/// The page of `mqtt bench`.
pub const BENCH: Page = Page {
    command: "bench",
    description: &[
        "When no more is said than which broker, it is a tour of 13 seconds with a line for each of its stages: 1,000 connections, 500 a \
         second; then at QoS 0, 1 and 2 ten publishers, each to one subscriber, 5,000 messages a second of 64 bytes. Its status is that of the \
         stage that failed. With options of the load, the messages or the faults, or with --slo, --csv, --hlog, --calibrate, --prometheus, \
         --agents or --print-plan, it is one run of pubsub; everything else, --json and --html too, is for both.",
        "With --rate every message is due at a moment fixed before the run, and its response latency counts from that moment: \
         a broker that stalls cannot hide it. Beside it stand the service latency, from when the message was sent, and the \
         send delay between the two. Without --rate nothing is due and only the service latency exists.",
        "Messages carry their publisher and their number, so lost, repeated and reordered ones are counted, not guessed. The \
         delivery check fails, with status 8, when a message the broker had acknowledged never arrived, when one arrived twice \
         at QoS 2, when one arrived with other bytes than were sent, or when one arrived after a later one of the same publisher. Loss at QoS 0 and repetition at QoS 1 are only \
         counted.",
        "The report says VALID, or INVALID with the reason when it describes something else than the broker: the load \
         tester's own delay (99th percentile) was over 1 ms and over a tenth of the response latency's; without --rate, one of \
         its threads was busy for over 90 % of the time; the median latency was another in the second half than in the first, surely \
         and by more than half (told from ten seconds on); the clock was set meanwhile; a connection was not made or was lost; or a run with --count came to a standstill. \
         By itself INVALID changes no status. With --slo it does: an objective that is met in such a run is not shown, and the status is 8, unless the run is INVALID \
         only because the load tester was late, which makes latencies larger and nothing better.",
        "In conn and idle the rate is one of new connections: each is due at its time whatever became of the others, and the \
         response latency counts from then to CONNACK. In conn a connection that is not made is counted by its reason, and \
         the first reason gives the exit status; elsewhere it ends the run. A refusal there is what was found: the run is VALID.",
        "In reconnect-storm, takeover-storm and will-storm everyone connects first; then it happens to all at once, or at --rate. \
         The times count from that moment: of being back, of the old connection's end, of the wills' arrival. In retained-storm and \
         offline everything is published and acknowledged first; then the subscribers come, and the time until everything is \
         there is taken for each. In shared each message is due to one member, whichever; the fairness is Jain's index of what the \
         members received, 1 when all received equally many.",
        "In slow one subscriber to everything reads like the others in the first half of the run and slowly in the second; after the \
         load it reads whatever comes. ISOLATED says that the others had nine tenths of the rate and twice the 99th percentile (or a \
         millisecond more) at worst. It has a ledger of its own: what the broker drops for it, or that it is disconnected, is told \
         and fails no check. Latencies are those of the others.",
        "With --fault a proxy stands between the clients and the broker, below TLS and WebSocket, and does what was asked for. A client \
         that loses its connection by it comes back, more and more patiently; with --persistent to its session, where what was not \
         acknowledged is sent again with DUP. The report says of each fault whom it hit, when the last was back, when rate and latency \
         were as before, and the longest latency; the delivery check counts across it. In churn and the storms it happens on top of what \
         happens there, and connections that it kept from being made are told beside it and are no failures. What the proxy costs in processor time is \
         printed beside the load tester's own, what it adds to the latency by --calibrate, which goes through it as well.",
        "Publishing starts when every subscription is acknowledged. After the last publish the run waits until everything has \
         arrived, or until nothing has arrived for 2 seconds. Warm-up and this wait do not count in the rates. A percentile \
         with fewer than ten samples beyond it is not given. The first interrupt ends the run and prints the report, the \
         second leaves at once.",
        "With --agents the load comes from other machines, on which mqtt bench agent runs. All have the same plan and start at the same moment, \
         each by its own clock: how far it is ahead is estimated from the round trips of questions and answers, before the run and after, \
         and never wrong by more than the uncertainty that is printed. Both ends of a pair are on one machine, so that one clock times its \
         messages; what goes from one machine to another is right to within the uncertainty, and the run is INVALID when that is more than the \
         median latency. What is shown and written every second is that of all machines. An agent that refuses, fails or is gone ends the run on all machines, with the status of its reason.",
    ],
    examples: &[
        (
            "A tour of the broker this program contains, in the same process",
            "mqtt bench --serve",
        ),
        (
            "The same broker as fast as it goes",
            "mqtt bench pubsub --serve",
        ),
        (
            "Latency of another broker under 1,000 messages a second for half a minute",
            "mqtt bench -h broker.example --rate 1000 --duration 30s",
        ),
        (
            "One publisher, 100 subscribers, QoS 0",
            "mqtt bench --serve --publishers 1 --subscribers 100 -q 0 --rate 1000",
        ),
        (
            "How fast does it accept connections, and how long does each take?",
            "mqtt bench conn --serve --clients 2000 --rate 500",
        ),
        (
            "Does it hold what was promised? Status 8 when not",
            "mqtt bench -h broker.example --rate 5k --slo 'p99<10ms,loss=0'",
        ),
        (
            "From two machines on which mqtt bench agent -h broker.example runs",
            "mqtt bench -h broker.example --agents 2 --rate 20k --duration 30s",
        ),
        (
            "The plan of a load, to be changed and run with --plan load.toml",
            "mqtt bench --publishers 100 --rate poisson:2/client --print-plan > load.toml",
        ),
        (
            "Does a subscriber that hangs hold up the others?",
            "mqtt bench slow -h broker.example --reads none --rate 2k --size 4k --duration 30s",
        ),
        (
            "What is lost, and when is all as before, after three in ten connections were cut off for two seconds?",
            "mqtt bench --serve --rate 1000 --duration 30s --persistent --fault 'at=10s cut=30% for=2s'",
        ),
        (
            "Is anything lost? A program can read the answer",
            "mqtt bench --serve -q 2 --count 100000 --json > report.json",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt bench report`.
pub const BENCH_REPORT: Page = Page {
    command: "bench report",
    description: &[
        "Reads runs that were saved with mqtt bench --json and prints their report again. Several runs of the same plan \
         become one: their histograms are added, so that percentiles are those of all messages, and their rates count \
         over the time in which any of them measured; whether they ran side by side or one after the other does not matter. \
         Runs of different plans are refused: mqtt bench compare is for them.",
        "Ends as the run did: with status 8 when the delivery check or an objective failed, or objectives were met in a run that is INVALID.",
    ],
    examples: &[
        ("Show a saved run", "mqtt bench report run.json"),
        (
            "Make one of three, and hold it to an objective",
            "mqtt bench report a.json b.json c.json --slo 'p99.9<50ms'",
        ),
    ],
    environment: &[NO_COLOR],
};

/// The page of `mqtt bench compare`.
pub const BENCH_COMPARE: Page = Page {
    command: "bench compare",
    description: &[
        "Both sides are brokers, or both are files of saved runs. Brokers are put under the same load in turn, A B B A A B and so \
         on, so that whatever else the machine does meets both. A file may hold several runs, one after the other, as \
         mqtt bench --json >> FILE leaves them; runs that were not made of the same plan are refused.",
        "The unit is the run, because messages of one run say little about the next. The difference is the median of all \
         differences between a run of B and one of A (Hodges-Lehmann), its 95 % interval and its p-value are those of the \
         Mann-Whitney test, the p-value corrected for the number of figures (Holm). The smallest difference that would have \
         been found with 80 % tells what a run of this length and number can find at all. Fewer than four runs on each side \
         prove nothing, and three figures need five. Two single runs are compared by their seconds, with a word of warning.",
        "Ends with status 8 when a figure of B is worse everywhere in the interval by more than the tolerance, and the \
         p-value is under 0.05; or when B broke a promise of MQTT.",
    ],
    examples: &[
        (
            "Two brokers, five runs each, at 5,000 messages a second",
            "mqtt bench compare mqtt://one.example mqtt://other.example --rate 5k --duration 10s",
        ),
        (
            "Has it become slower since? Status 8 when by more than 5 percent",
            "mqtt bench compare before.json after.json --on p99,rate --tolerance 5%",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt bench max`.
pub const BENCH_MAX: Page = Page {
    command: "bench max",
    description: &[
        "Doubles the load until it holds no more, then halves the distance between what held and what did not, until the answer \
         is at most --precision too low. Then the answer must hold again, --confirm times; one that held by luck is taken back. \
         Each load is a run of its own, with --warmup and --duration as in mqtt bench.",
        "A load holds when every objective is met, no promise of MQTT is broken and the run is valid. When the rate is raised and \
         no objective speaks of it, 99 % of it must also arrive. All loads that were tried are printed, and what \
         the lowest that did not hold was limited by: when that is the load tester itself, the broker may hold more.",
        "Ends with status 8 when no load holds.",
    ],
    examples: &[
        (
            "How many messages a second, with 99 % of them within 10 ms and none lost?",
            "mqtt bench max -h broker.example --slo 'p99<10ms,loss=0'",
        ),
        (
            "To how many subscribers, at ten messages a second?",
            "mqtt bench max --serve --of subscribers --publishers 1 --rate 10 --duration 30s --slo 'p99<100ms'",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt bench calibrate`.
pub const BENCH_CALIBRATE: Page = Page {
    command: "bench calibrate",
    description: &[
        "Runs the load twice against a broker that answers and forwards and does nothing else, in a thread of this process: at \
         its rate, without --rate at 1,000 a second, for the latency that is the load tester's own (the floor); and as fast \
         as it goes, for the rate at which the load tester ends (the ceiling). A result near either says little of the broker.",
        "What this machine can do differs from hour to hour, so nothing is remembered: mqtt bench --calibrate measures the floor \
         right before a run and prints it beside the result.",
        "will-storm, retained-storm, takeover-storm and offline are refused: they measure how a broker keeps wills, messages and \
         sessions and gives them back, and a broker that keeps nothing leaves nothing of them to be timed. The way of their \
         messages is that of pubsub, whose floor is theirs. In sub others publish.",
    ],
    examples: &[
        ("What can be measured from here?", "mqtt bench calibrate"),
        (
            "How many messages at QoS 0 for each second of a processor?",
            "mqtt bench calibrate pub -q 0 --workers 1",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt bench agent`.
pub const BENCH_AGENT: Page = Page {
    command: "bench agent",
    description: &[
        "Waits on a broker, the control broker, for runs that mqtt bench --agents starts on another machine, does its part of each, and waits for the next. It is told the plan and the broker the load is put on; what it would refuse when typed here, it refuses then. Its options of the connection are those of the control broker. TLS options count for the broker under test as well, because files and trust are each machine's own matter; with a control broker without TLS that takes --no-tls beside them.",
        "Every agent has the whole plan and carries out the clients that are its own, with the numbers, topics and moments that they would have on one machine. What each has sent is made known to all, so that the ledgers of those who received it are exact.",
        "Who may write below the control topic (--control-topic) can have every agent there put a load on any broker, or on those of --only. Give that right to few, by the control broker's access list; and use TLS to it when the broker under test wants a password, because the agents are told it. docs/bench-agents.md has the topics and what is said on them.",
        "A signal ends it with status 0; a run that it takes part in then fails.",
    ],
    examples: &[
        (
            "On each machine, with the broker under test as the control broker",
            "mqtt bench agent -h broker.example",
        ),
        (
            "And then, on any machine: 200 pairs from two of them",
            "mqtt bench -h broker.example --agents 2 --publishers 200 --subscribers 200 --rate 20k",
        ),
        (
            "Over a broker of their own, by name",
            "mqtt bench agent --url mqtts://control.example --name north --only broker.example",
        ),
    ],
    environment: CONNECTING,
};
