//! Passwords in files.

use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use bytes::Bytes;

use crate::exit::Exit;

/// The bytes before the first line break; a password file written by an editor ends in one.
pub(super) fn first_line(path: &Path, option: &str) -> anyhow::Result<Bytes> {
    let read = || {
        let mut line = Vec::new();
        BufReader::new(std::fs::File::open(path)?).read_until(b'\n', &mut line)?;
        std::io::Result::Ok(line)
    };
    let mut line = read().with_context(|| format!("cannot read {option} {path:?}"))?;
    while let Some(b'\n' | b'\r') = line.last() {
        line.pop();
    }
    match line.len() {
        0 => Err(Exit::Usage.because(format!("{option} {path:?}: the first line is empty"))),
        65_536.. => Err(Exit::Usage.because("a password is at most 65535 bytes long")),
        _ => Ok(line.into()),
    }
}
