//! Faults on purpose: between the clients of a load and the broker stands a proxy that cuts, stalls, delays and swallows
//! what goes through it, in a thread of its own. It sees bytes below TLS and WebSocket and knows nothing of MQTT.
//!
//! It is there only when a plan has faults, and what it costs is measured: the processor's time of its thread here, the
//! time it adds to a message by `--calibrate`, which goes through it as well.

mod links;
mod pump;
mod strikes;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

use self::links::Links;
pub use self::strikes::{Strike, Strikes};
use crate::bench::load::connection::Stage;
use crate::bench::load::tally::Work;
use crate::bench::load::thread::processor_time;
use crate::bench::load::way::Way;
use crate::bench::load::{self, Load};
use crate::bench::plan::disturbance::{Clientele, Disturbance};
use crate::bench::role::Phase;
use crate::client::Failure;
use crate::client::transport::{Hosts, Stream, connect_tcp, connect_unix};

/// How long the proxy waits when it cannot accept a connection, for descriptors most likely.
const PAUSE: Duration = Duration::from_millis(10);

/// Where the connections of one way go on.
#[derive(Debug, Clone)]
pub(super) struct Onward {
    pub(super) goal: Goal,
    /// Whose connections they are.
    pub(super) kind: Clientele,
}

/// How the broker is reached.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    Tcp {
        /// Its addresses, of which the first to answer is taken.
        hosts: Hosts,
        /// The address of ours to connect from, if it is to be a certain one.
        from: Option<IpAddr>,
    },
    /// By the path of its socket.
    Unix(String),
}

/// One that runs until it is dropped.
pub(super) struct Proxy {
    /// Where it listens, on the loopback interface: for each way one.
    addresses: Vec<SocketAddr>,
    /// What the faults did.
    pub(super) strikes: Arc<Strikes>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Option<Work>>>,
}

impl Proxy {
    /// Starts one before all ways of a load. Of these there are then as many for each kind of client, in the order of
    /// [`Clientele::KINDS`]: that is how the proxy tells them apart.
    ///
    /// # Errors
    /// When a way cannot be gone, or there is no port or thread left.
    pub(super) async fn before(
        ways: &mut Vec<Way>,
        load: &Load,
        stages: &watch::Sender<Stage>,
    ) -> anyhow::Result<Proxy> {
        for way in &*ways {
            // A client could only say that the proxy had closed its connection.
            let tried = way.try_out(&load.options).await;
            tried.map_err(Failure::into_error)?;
        }
        let each = ways.len();
        for _ in 1..Clientele::KINDS.len() {
            ways.extend(load::ways(load).await?);
        }
        let mut onward = Vec::new();
        for (place, way) in ways.iter_mut().enumerate() {
            let kind = Clientele::KINDS[place / each];
            onward.push(way.divert(kind));
        }
        let plan = &load.plan;
        let seed = plan.run.0.into();
        let proxy = Proxy::start(onward, plan.fault.clone(), seed, stages.subscribe())?;
        for (way, address) in ways.iter_mut().zip(&proxy.addresses) {
            way.lead_to(*address);
        }
        Ok(proxy)
    }

    /// Starts one before these ways, whose faults begin with the load.
    ///
    /// # Errors
    /// When there is no port or no thread left.
    fn start(
        ways: Vec<Onward>,
        faults: Vec<Disturbance>,
        seed: u64,
        stages: watch::Receiver<Stage>,
    ) -> anyhow::Result<Proxy> {
        let listen = |_: &Onward| {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok::<_, std::io::Error>((listener.local_addr()?, listener))
        };
        let listeners: Result<Vec<_>, _> = ways.iter().map(listen).collect();
        let (addresses, listeners): (Vec<_>, Vec<_>) = listeners
            .context("could not listen for the proxy of --fault")?
            .into_iter()
            .unzip();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let strikes = Arc::new(Strikes::default());
        let links = Arc::clone(&strikes);
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move || {
            LocalSet::new().block_on(&runtime, async {
                let links = Rc::new(Links::new(seed, links));
                for (listener, onward) in listeners.into_iter().zip(ways) {
                    // It was made for a runtime.
                    let Ok(listener) = TcpListener::from_std(listener) else {
                        continue;
                    };
                    tokio::task::spawn_local(accept(listener, onward, Rc::clone(&links)));
                }
                let mut measured = None;
                tokio::select! {
                    () = conduct(&links, &faults, stages, &mut measured) => {}
                    _ = stopped => {}
                }
                measured
            })
        };
        let thread = std::thread::Builder::new()
            .name("fault-proxy".to_owned())
            .spawn(work)
            .context("could not start the proxy of --fault")?;
        Ok(Proxy {
            addresses,
            strikes,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Ends it; what its thread did while the load ran, as far as that has ended.
    pub(super) fn stop(mut self) -> Option<Work> {
        self.end()
    }

    fn end(&mut self) -> Option<Work> {
        // Whether it is told or its channel ends, it ends.
        drop(self.stop.take());
        self.thread.take()?.join().ok()?
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end();
    }
}

async fn accept(listener: TcpListener, onward: Onward, links: Rc<Links>) {
    loop {
        let Ok((near, client)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if links.refuses(onward.kind) {
            continue;
        }
        let (links, onward) = (Rc::clone(&links), onward.clone());
        tokio::task::spawn_local(async move {
            if let Some(far) = go_on(&near, &onward).await
                && !links.refuses(onward.kind)
            {
                links.carry(client, onward.kind, near, far).await;
            }
        });
    }
}

/// The other half of a connection. Without one the client finds out when its own is closed.
async fn go_on(near: &TcpStream, onward: &Onward) -> Option<Stream> {
    near.set_nodelay(true).ok()?;
    match &onward.goal {
        Goal::Tcp { hosts, from } => connect_tcp(hosts, *from).await.map(Stream::Tcp).ok(),
        Goal::Unix(path) => connect_unix(path).await.ok(),
    }
}

/// Has the faults happen while the load runs. It does not return: connections are carried on to the end.
async fn conduct(
    links: &Links,
    faults: &[Disturbance],
    mut stages: watch::Receiver<Stage>,
    measured: &mut Option<Work>,
) {
    let stage = stages.wait_for(|stage| stage.phase >= Phase::Load).await;
    let Some(start) = stage.ok().and_then(|stage| stage.start) else {
        return std::future::pending().await;
    };
    let (cpu, wall) = (processor_time(), Instant::now());
    tokio::select! {
        () = links.suffer(faults, tokio::time::Instant::from_std(start)) => {}
        _ = stages.wait_for(|stage| stage.phase > Phase::Load) => {}
    }
    links.calm(start.elapsed());
    *measured = Some(Work {
        cpu: processor_time().zip(cpu).map(|(end, start)| end - start),
        wall: wall.elapsed(),
    });
    std::future::pending().await
}
