//! `mqtt serve`: a broker in this terminal. Prints one line when clients can connect, then runs until it is told
//! to stop.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Receiver;
use std::thread;

use anyhow::Context;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::broker::trace::{Trace, Traced};
use crate::broker::{Broker, Config, StartError};
use crate::cli::serve::{LogFormat, ServeArgs};
use crate::exit::Exit;
use crate::open_files;
use crate::output::trace::TraceFormat;
use crate::output::{self, Output, Unwritable};
use crate::settings::Setting;

/// Connections there is room for from the beginning, at 8 bytes each.
const CONNECTIONS: u64 = 16_384;

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When the address cannot be listened on, the ready line or file cannot be written, or the broker ends by itself.
pub fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    if args.print_config {
        return print(&args.settings);
    }
    log_to_stderr(args.verbose, args.log_format);
    open_files::allow();
    open_files::make_room(CONNECTIONS);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // From here on a signal is an orderly stop, also between the ready line and the wait below.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;

        let (trace, traced) = trace(&args);
        let mut broker = Broker::start(Config { trace, ..config(&args) }).map_err(explain)?;
        announce(&broker, &args)?;
        if let Some(traced) = traced {
            show(traced, &args)?;
        }

        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            reason = broker.failed() => return Err(Exit::Failed.because(format!("{reason}; restart it and report this"))),
        }
        broker.stop();
        Ok(Exit::Done)
    })
}

fn print(settings: &[Setting]) -> anyhow::Result<Exit> {
    let mut output = Output::new(io::stdout());
    for setting in settings {
        writeln!(output.buffer, "{setting}")?;
    }
    match output.flush() {
        Ok(()) | Err(Unwritable::Closed) => Ok(Exit::Done),
        Err(error) => Err(error.into()),
    }
}

fn config(args: &ServeArgs) -> Config {
    let mut config = Config {
        host: args.host.clone(),
        port: args.port,
        max_packet_size: args.max_packet_size,
        max_keep_alive: args.max_keep_alive,
        receive_maximum: args.receive_maximum,
        max_queued: args.max_queued,
        max_queued_bytes: args.max_queued_bytes,
        queue_qos0: args.queue_qos0,
        sys_interval: args.sys_interval,
        metrics: args.metrics.clone(),
        ..Config::default()
    };
    if let Some(workers) = args.workers {
        config.workers = usize::from(workers);
    }
    config
}

fn explain(error: StartError) -> anyhow::Error {
    let words = match &error {
        StartError::Listen(..) => format!("{error} (another port: -p PORT, any free one: -p 0)"),
        StartError::Metrics(..) => format!("{error} (another one: --metrics HOST:PORT)"),
        StartError::Threads(_) => error.to_string(),
    };
    match error {
        StartError::Listen(.., source)
        | StartError::Metrics(.., source)
        | StartError::Threads(source) => anyhow::Error::new(source).context(words),
    }
}

/// One line on stdout, and the file, for scripts that wait for the broker.
fn announce(broker: &Broker, args: &ServeArgs) -> anyhow::Result<()> {
    let address = broker.address();
    let url = format!("mqtt://{address}");
    if let Some(path) = &args.ready_file {
        write_whole(path, &url)
            .with_context(|| format!("could not write the ready file {}", path.display()))?;
    }
    let line = if args.json {
        json!({ "event": "listening", "url": url, "host": address.ip().to_string(), "port": address.port() }).to_string()
    } else {
        format!("listening on {url}")
    };
    let mut stdout = io::stdout().lock();
    // A broker whose starter does not read on is still a broker.
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("could not write to stdout")
        }
        _ => Ok(()),
    }
}

/// Whoever waits for the file never reads half of it.
fn write_whole(path: &Path, url: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, format!("{url}\n"))?;
    fs::rename(&beside, path)
}

/// Packets that may wait to be shown before the broker goes on without them.
const TRACED: usize = 100_000;

fn trace(args: &ServeArgs) -> (Option<Arc<Trace>>, Option<Receiver<Traced>>) {
    if args.trace.is_none() {
        return (None, None);
    }
    let (sink, traced) = std::sync::mpsc::sync_channel(TRACED);
    let trace = Trace {
        sink,
        client_ids: args.trace_client.clone(),
        topic_filters: args.trace_topic.clone(),
        missed: AtomicU64::new(0),
    };
    (Some(Arc::new(trace)), Some(traced))
}

/// Prints the trace on a thread of its own, for a slow reader must not slow the broker. When the reader has left, the
/// broker goes on.
fn show(traced: Receiver<Traced>, args: &ServeArgs) -> io::Result<()> {
    let (format, most) = (args.trace.unwrap_or(TraceFormat::Text), args.trace_payload);
    let work = move || {
        let zone = TimeZone::system();
        let mut output = Output::new(io::stdout());
        while let Ok(first) = traced.recv() {
            let mut next = Some(first);
            while let Some(packet) = next.take() {
                output::trace::write(format, &packet, most, &zone, &mut output.buffer);
                next = if output.is_full() {
                    None
                } else {
                    traced.try_recv().ok()
                };
            }
            match output.flush() {
                Ok(()) => {}
                Err(Unwritable::Closed) => return,
                Err(error) => return tracing::error!("{error}"),
            }
        }
    };
    thread::Builder::new()
        .name("trace".into())
        .spawn(work)
        .map(|_| ())
}

/// Only our own words: the log underneath speaks of a span per packet.
fn log_to_stderr(verbose: u8, format: LogFormat) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(Targets::new().with_target("mqtt_toolbox", level))
        .init();
}
