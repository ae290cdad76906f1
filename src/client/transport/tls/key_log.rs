//! The secrets of connections in a file, in the form that Wireshark reads: `LABEL CLIENT_RANDOM SECRET`, in hexadecimal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Appends a line for each secret. Whoever has the file can decrypt the connections, so it is its owner's alone.
#[derive(Debug)]
pub(super) struct Appended(File);

impl Appended {
    pub(super) fn open(path: &Path) -> Result<Appended, String> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(path)
            .map(Appended)
            .map_err(|error| format!("cannot open --tls-key-log {}: {error}", path.display()))
    }
}

impl rustls::KeyLog for Appended {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        // One write for each line, so that connections do not mix theirs. A full disk does not end the connection.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
