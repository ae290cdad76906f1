//! `mqtt install-links`.

use std::fs;

use crate::harness::Mqtt;

#[test]
fn links_are_made_once_and_lead_to_this_program() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let made = Mqtt::new(["install-links", &place]).stderr_any().run();
    assert_eq!(made.stderr.lines().count(), 3);
    Mqtt::new(["install-links", &place])
        .stderr(
            ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"]
                .map(|name| format!("mqtt: {place}/{name} is there already\n"))
                .concat(),
        )
        .run();
    Mqtt::program(folder.path().join("mosquitto_sub"), ["--version"])
        .status(1)
        .stdout(format!(
            "mosquitto_sub version 2.0.11 running on mqtt {}.\n",
            env!("CARGO_PKG_VERSION")
        ))
        .run();
}

#[test]
fn what_is_in_the_way_stays_unless_it_is_told_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let foreign = folder.path().join("mosquitto_rr");
    fs::write(&foreign, "precious").unwrap();
    Mqtt::new(["install-links", &place])
        .status(1)
        .stderr(format!(
            "mqtt: {place}/mosquitto_rr is in the way and is not a link to this program; --force replaces it\n"
        ))
        .run();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read(&foreign).unwrap(), b"precious");
    let made = Mqtt::new(["install-links", "--force", &place])
        .stderr_any()
        .run();
    assert_eq!(made.stderr.lines().count(), 3);
    assert!(fs::symlink_metadata(&foreign).unwrap().is_symlink());
}

#[test]
fn a_folder_that_is_none_is_named() {
    Mqtt::new(["install-links", "/nonexistent/bin"])
        .status(1)
        .stderr("mqtt: /nonexistent/bin is no folder\n")
        .run();
}
