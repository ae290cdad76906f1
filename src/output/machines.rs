//! The machines of a run with `--agents`: what each did, and how far their clocks can be believed.

use std::fmt::Write;
use std::time::Duration;

use colored::Colorize;

use super::figures::{time, whole};
use crate::bench::agents::clock::Offset;
use crate::bench::agents::machine::{Clocks, Machine};
use crate::bench::report::Report;

/// A line for each machine and one for the clocks; nothing for a run on one machine.
pub(super) fn machines(out: &mut String, report: &Report) -> std::fmt::Result {
    let mut head = "machines".dimmed();
    for machine in &report.machines {
        writeln!(out, "{head:<13}{}: {}", name(machine), deeds(machine))?;
        head = "".clear();
    }
    match clocks(report) {
        Some(words) => writeln!(out, "{:<13}{words}", "clocks".dimmed()),
        None => Ok(()),
    }
}

/// The same, by what each line is of.
pub(super) fn rows(report: &Report) -> Vec<(String, String)> {
    let machines = report.machines.iter();
    let mut rows: Vec<(String, String)> = machines
        .map(|machine| (name(machine), deeds(machine)))
        .collect();
    rows.extend(clocks(report).map(|words| ("clocks".to_owned(), words)));
    rows
}

fn clocks(report: &Report) -> Option<String> {
    let clocks = report.clocks.as_ref()?;
    (clocks.streams > 0).then(|| words(clocks))
}

/// `a on host`
fn name(machine: &Machine) -> String {
    format!("{} on {}", machine.name, machine.host)
}

/// `5 connections, 100 sent, 100 arrived, busiest 40 %; clock 1.20 ms ahead ± 35 µs, after the run 1.23 ms ± 30 µs`
fn deeds(machine: &Machine) -> String {
    let mut line = format!(
        "{} connection{}, {} sent, {} arrived",
        whole(machine.connections.into()),
        if machine.connections == 1 { "" } else { "s" },
        whole(machine.sent as f64),
        whole(machine.arrived as f64)
    );
    if let Some(busiest) = machine.busiest {
        line += &format!(", busiest {:.0} %", busiest * 100.0);
    }
    line += &format!("; clock {}", offset(machine.clock));
    if let Some(after) = machine.clock_after {
        line += &format!(", after the run {}", offset(after));
    }
    line
}

/// `1.20 ms ahead ± 35 µs`
fn offset(offset: Offset) -> String {
    let direction = if offset.ahead_ns < 0 {
        "behind"
    } else {
        "ahead"
    };
    format!(
        "{} {direction} ± {}",
        time(Duration::from_nanos(offset.ahead_ns.unsigned_abs())),
        time(Duration::from_nanos(offset.uncertainty_ns))
    )
}

fn words(clocks: &Clocks) -> String {
    let Clocks {
        streams,
        between_machines,
        uncertainty_us,
    } = clocks;
    match between_machines {
        0 => "every message was sent and received on one machine, so one clock timed it".to_owned(),
        between => format!(
            "{} of {} streams go from one machine to another: their latencies are the difference of two clocks, \
             and right to within {}",
            whole(*between as f64),
            whole(*streams as f64),
            time(Duration::from_micros(*uncertainty_us))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::report;

    #[test]
    fn each_machine_has_a_line_and_the_clocks_say_what_they_leave_uncertain() {
        colored::control::set_override(false);
        let mut report = report(1, |_| {});
        report.environment.host = "north".to_owned();
        let clock = |ahead_ns, uncertainty_ns| Offset {
            ahead_ns,
            uncertainty_ns,
        };
        let one = Machine::of("a".to_owned(), &report, clock(1_200_000, 35_000), None);
        report.environment.host = "south".to_owned();
        let after = Some(clock(-90_500, 1000));
        let other = Machine::of("b".to_owned(), &report, clock(-90_000, 2000), after);
        report.clocks = Some(Clocks::of(&[one.clone(), other.clone()], (3, 4)));
        report.machines = vec![one, other];
        let mut out = String::new();
        machines(&mut out, &report).unwrap();
        assert_eq!(rows(&report)[2].0, "clocks");
        assert_eq!(
            out,
            "machines     a on north: 2 connections, 15,000 sent, 15,000 arrived, busiest 40 %; clock 1.20 ms ahead ± 35 µs\n\
             \x20            b on south: 2 connections, 15,000 sent, 15,000 arrived, busiest 40 %; clock 90 µs behind ± 2 µs, \
             after the run 90 µs behind ± 1 µs\n\
             clocks       3 of 4 streams go from one machine to another: their latencies are the difference of two clocks, and \
             right to within 37 µs\n"
        );
        report.clocks = Some(Clocks::of(&report.machines, (0, 4)));
        out.clear();
        machines(&mut out, &report).unwrap();
        assert!(out.ends_with("clocks       every message was sent and received on one machine, so one clock timed it\n"));
    }
}
