//! The broker with which the messages under way have their session, in a file of its own beside the journals: with another
//! one, what a journal says of packet identifiers means nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The name of the file.
const NAME: &str = "broker";

/// What the file says; `None` without one, as in a spool that has never been with a broker.
pub(super) fn read(directory: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(directory.join(NAME)) {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts another name in its place, whole or not at all.
pub(super) fn write(directory: &Path, broker: &str, syncs: bool) -> io::Result<()> {
    let new = directory.join("broker.new");
    let mut file = File::create(&new)?;
    file.write_all(format!("{broker}\n").as_bytes())?;
    if syncs {
        file.sync_all()?;
    }
    fs::rename(&new, directory.join(NAME))?;
    #[cfg(unix)]
    if syncs {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
