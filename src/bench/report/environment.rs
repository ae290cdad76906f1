//! The machine a load comes from, as far as it says something about itself. Reads `/proc` where there is one.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::open_files;

/// What a result depends on beside the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The machine's name; empty where it is not told.
    pub host: String,
    /// Operating system.
    pub os: String,
    /// Release of the kernel; empty where it is not told.
    pub kernel: String,
    /// Processor family.
    pub arch: String,
    /// The processor's own name; empty where it is not told.
    pub cpu: String,
    /// Processors this process may use.
    pub cpus: usize,
    /// Main memory in bytes; `null` where it is not told.
    pub memory_bytes: Option<u64>,
    /// Most open files of this process; `null` where it is not told or has no limit.
    pub open_files: Option<u64>,
    /// The program was built without optimisation: its numbers say little.
    pub debug_build: bool,
}

impl Environment {
    /// This machine.
    pub fn here() -> Environment {
        let line = |path: &str| {
            fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        Environment {
            host: line("/proc/sys/kernel/hostname"),
            os: std::env::consts::OS.to_owned(),
            kernel: line("/proc/sys/kernel/osrelease"),
            arch: std::env::consts::ARCH.to_owned(),
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: field("/proc/meminfo", "MemTotal").and_then(|text| kibibytes(&text)),
            open_files: open_files::allowed(),
            debug_build: cfg!(debug_assertions),
        }
    }
}

/// What stands behind `name:` in a file of such lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.trim() == name)?;
    Some(value.trim().to_owned())
}

/// `123 kB` in bytes.
fn kibibytes(text: &str) -> Option<u64> {
    let number = text.split_whitespace().next()?;
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// Memory that can be had without swapping, in bytes; `None` where it is not told.
pub fn available_memory() -> Option<u64> {
    kibibytes(&field("/proc/meminfo", "MemAvailable")?)
}

/// The most memory this process has had, in bytes; `None` where it is not told.
pub fn peak_memory() -> Option<u64> {
    kibibytes(&field("/proc/self/status", "VmHWM")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_the_kernel_writes_them() {
        assert_eq!(kibibytes("16 kB"), Some(16_384));
        assert_eq!(kibibytes(""), None);
        assert_eq!(kibibytes("18446744073709551615 kB"), None);
        assert!(Environment::here().cpus > 0);
    }
}
