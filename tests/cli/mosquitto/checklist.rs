//! That no option is forgotten: each name that `--help` lists stands in a line that is run beside mosquitto's client.

use std::collections::BTreeSet;
use std::path::Path;

use super::beside::{Clients, Whose, words};
use super::publishing::{ASKING, PUBLISHING};
use super::routes::{REFUSED, TLS, UNIX};
use super::subscribing::{FORMATS, SUBSCRIBING};
use super::wire;
use super::wrong::WRONG;

/// What 2.0.11 does not know, so that there is nothing to run ours beside; `newer` shows what they do.
const NEWER: [&str; 10] = [
    "-o",
    "--json-compat",
    "--latency",
    "--no-tls",
    "--retain-handling",
    "--strict",
    "--tls-keylog",
    "--ws",
    // These say other things, on the same stream and with the same status.
    "--help",
    "--version",
];

#[test]
fn every_name_of_every_option_is_in_a_line() {
    let tables = [WRONG, PUBLISHING, ASKING, SUBSCRIBING, FORMATS, UNIX, TLS];
    let refused = REFUSED.iter().map(|(case, _)| case);
    let cases = tables
        .into_iter()
        .flatten()
        .chain(refused)
        .map(|case| case.line);
    let on_the_wire = wire::same().into_iter().map(|(line, ..)| line);
    let lines: Vec<&str> = cases.chain(on_the_wire).collect();
    let clients = Clients::new();
    let mut missing = Vec::new();
    for program in ["pub", "sub", "rr"] {
        let typed: BTreeSet<String> = lines
            .iter()
            .filter(|line| line.trim_start_matches('!').starts_with(program))
            .flat_map(|line| words(line))
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let help = clients.run(
            Whose::Ours,
            &words(&format!("mosquitto_{program} --help")),
            b"",
            Path::new("/nonexistent"),
        );
        let listed = help.stdout.lines().filter(|line| line.starts_with("  -"));
        for name in
            listed.flat_map(|line| line.split([' ', ',']).filter(|word| word.starts_with('-')))
        {
            if !NEWER.contains(&name) && !typed.contains(name) {
                missing.push(format!("mosquitto_{program} {name}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
