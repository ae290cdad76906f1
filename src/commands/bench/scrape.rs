//! `--prometheus`: the run for whoever scrapes it while it goes on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::sync::oneshot;

use crate::bench::load::Snapshot;
use crate::output::{bench_metrics, say};

/// An endpoint that answers until it is dropped, in a thread of its own so that the load is not in its way.
pub(super) struct Scrape {
    page: Arc<Mutex<String>>,
    _stop: oneshot::Sender<()>,
}

impl Scrape {
    /// Listens on the address, and says where when the system has chosen the port.
    ///
    /// # Errors
    /// When that is not possible.
    pub(super) fn start(address: SocketAddr) -> anyhow::Result<Scrape> {
        let failed = || format!("could not listen on --prometheus {address}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address));
        let listener = listener.with_context(failed)?;
        say(format_args!(
            "metrics at http://{}/metrics",
            listener.local_addr()?
        ));
        let page = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&page);
        let metrics = move || async move {
            let text = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(axum::http::header::CONTENT_TYPE, kind)], text)
        };
        let router = axum::Router::new().route("/metrics", axum::routing::get(metrics));
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = axum::serve(listener, router).into_future() => {}
                        _ = stopped => {}
                    }
                });
            })
            .with_context(failed)?;
        Ok(Scrape { page, _stop: stop })
    }

    /// Shows where the run is.
    pub(super) fn show(&self, snapshot: &Snapshot) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = bench_metrics::page(snapshot);
    }
}
