//! Before a run: is there enough of what it takes?

use std::fs;

use crate::bench::report::environment::available_memory;
use crate::bench::report::limits::{Machine, Need, shortages};
use crate::exit::Exit;
use crate::open_files;
use crate::output::say;

/// Says what may be too little, and makes room for the files that will be open.
///
/// # Errors
/// When something is too little for certain: what lifts it.
pub(super) fn check(need: Need) -> anyhow::Result<()> {
    let (certain, doubtful): (Vec<_>, Vec<_>) = shortages(need, here())
        .into_iter()
        .partition(|one| one.certain);
    for shortage in doubtful {
        say(format_args!("warning: {}", shortage.words));
    }
    if certain.is_empty() {
        open_files::make_room(need.open_files());
        return Ok(());
    }
    let words: Vec<String> = certain.into_iter().map(|one| one.words).collect();
    Err(Exit::Failed.because(words.join("; ")))
}

fn here() -> Machine {
    Machine {
        open_files: open_files::allowed(),
        ports: ports(),
        memory: available_memory(),
    }
}

/// How many ports Linux gives to outgoing connections.
fn ports() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut numbers = text.split_whitespace().map(|word| word.parse::<u64>());
    let (from, to) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some((to + 1).saturating_sub(from))
}
