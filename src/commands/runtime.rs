//! One thread is enough for one connection.

use crate::exit::Exit;

/// Runs `work` to its end on the calling thread.
///
/// It runs as a task, because to wake a task from another one is to queue it, while to wake the future that the
/// runtime itself was given goes through the kernel, for every message.
pub(super) fn run(
    work: impl Future<Output = anyhow::Result<Exit>> + Send + 'static,
) -> anyhow::Result<Exit> {
    // A command is some ten kilobytes: they are moved once, not at each step on the way.
    let work = Box::pin(work);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async { tokio::spawn(work).await });
    // Reading stdin cannot be cancelled, and must not keep the program from ending.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
