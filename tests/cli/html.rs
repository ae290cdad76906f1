//! `--html`: the page a run writes, as a browser shows it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::bench::bench;
use crate::harness::Mqtt;
use crate::servers::MqttServe;

#[test]
fn a_browser_shows_the_curves_in_light_and_dark_and_has_nothing_to_complain_of() {
    let serve = MqttServe::start::<&str>([]);
    let folder = tempfile::tempdir().unwrap();
    let [page, saved, again] =
        ["page.html", "run.json", "again.html"].map(|name| folder.path().join(name));
    let (to_page, to_saved) = (
        format!("--html={}", page.display()),
        format!("--json={}", saved.display()),
    );
    let port = serve.port();
    bench([
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "--rate",
        "2k",
        "--duration",
        "2s",
        "--warmup",
        "500ms",
        &to_page,
        &to_saved,
    ])
    .stdout_any()
    .run();
    let (to_again, saved) = (again.display().to_string(), saved.display().to_string());
    Mqtt::new(["bench", "report", &saved, "--html", &to_again])
        .stdout_any()
        .run();
    assert_eq!(
        fs::read_to_string(&page).unwrap(),
        fs::read_to_string(&again).unwrap(),
        "the saved run is the whole run"
    );

    // The colours of the style sheet: a line has a few hundred points of its own, the heat map thousands of its hues.
    let (light, complaints) = seen(&page, folder.path(), "light");
    assert_eq!(complaints, "");
    for (name, colour) in [
        ("response", [0x25, 0x63, 0xeb]),
        ("service", [0xd9, 0x77, 0x06]),
        ("acknowledgement", [0x0d, 0x94, 0x88]),
    ] {
        let points = light.get(&colour).copied().unwrap_or(0);
        assert!(points > 300, "{points} points of the colour of {name}");
    }
    // On a phone the charts keep a size that can be read, and are moved sideways.
    let (phone, complaints) = seen_on(&page, folder.path(), "light", 500);
    assert_eq!(complaints, "");
    let points = phone.get(&[0x5b, 0x64, 0x72]).copied().unwrap_or(0);
    let line = phone.get(&[0x25, 0x63, 0xeb]).copied().unwrap_or(0);
    assert!(line > 200, "{line} points of a line, {points} of words");
    let blues = light
        .iter()
        .filter(|([red, green, blue], _)| blue > green && green > red && *red < 240);
    assert!(blues.count() > 20, "the heat map has few shades");
    assert!(
        light.get(&[0xff, 0xff, 0xff]) > light.get(&[0x18, 0x1c, 0x22]),
        "a light page"
    );
    let (dark, complaints) = seen(&page, folder.path(), "dark");
    assert_eq!(complaints, "");
    assert!(
        dark.get(&[0x18, 0x1c, 0x22]) > dark.get(&[0xff, 0xff, 0xff]),
        "a dark page"
    );
    assert!(
        dark.get(&[0x6e, 0xa8, 0xff]).copied().unwrap_or(0) > 300,
        "no curve in the dark"
    );
}

#[test]
fn faults_are_strips_above_what_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let to_page = format!("--html={}", page.display());
    let load = "pubsub --serve --rate 500 --duration 2s --warmup 0s".split(' ');
    bench(load.chain(["--fault", "at=500ms stall for=1s", &to_page]))
        .stdout_any()
        .run();
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("<rect class=\"strip\"").count(), 2, "{text}");
    assert_eq!(text.matches("<i class=\"strip\"></i>fault").count(), 2);
    assert!(text.contains(": stall=both for "));
    for (scheme, colour) in [("light", [0xc9, 0x2a, 0x2a]), ("dark", [0xff, 0x7b, 0x7b])] {
        let (seen, complaints) = seen(&page, folder.path(), scheme);
        assert_eq!(complaints, "");
        // Half of two charts, five points high.
        let points = seen.get(&colour).copied().unwrap_or(0);
        assert!(points > 1000, "{points} points in {scheme}");
    }
}

/// How often each colour is on the page as Chromium paints it, and what its console says.
fn seen(page: &Path, folder: &Path, scheme: &str) -> (BTreeMap<[u8; 3], usize>, String) {
    seen_on(page, folder, scheme, 1100)
}

/// The same on a screen of this width.
fn seen_on(
    page: &Path,
    folder: &Path,
    scheme: &str,
    width: u32,
) -> (BTreeMap<[u8; 3], usize>, String) {
    let picture = folder.join(format!("{scheme}.png"));
    let scheme_number = if scheme == "dark" { 0 } else { 1 };
    let output = Command::new("chromium")
        .args("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(' '))
        .args(
            "--disable-background-networking --disable-component-update --disable-sync".split(' '),
        )
        .args(["--hide-scrollbars", "--enable-logging=stderr"])
        .arg(format!("--window-size={width},2600"))
        .arg(format!(
            "--user-data-dir={}",
            folder.join(format!("profile-{scheme}")).display()
        ))
        .arg(format!(
            "--blink-settings=preferredColorScheme={scheme_number}"
        ))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("tests/setup installs chromium");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let complaints = stderr
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    let file = File::open(&picture).unwrap_or_else(|_| panic!("no picture\n{stderr}"));
    let mut reader = png::Decoder::new(std::io::BufReader::new(file))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let mut colours = BTreeMap::new();
    for pixel in bytes[..frame.buffer_size()].chunks(frame.color_type.samples()) {
        *colours.entry([pixel[0], pixel[1], pixel[2]]).or_default() += 1;
    }
    (colours, complaints)
}
