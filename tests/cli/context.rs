//! `mqtt context`, and where the options of a connection come from when they are not typed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::{Mqtt, eventually};
use crate::secrets::said_by;
use crate::servers::MqttServe;

/// A user of this machine: a configuration, and a folder to work in.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> User {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("work/deep")).unwrap();
        User { home }
    }

    fn run(&self, arguments: &[&str]) -> Mqtt {
        Mqtt::new(arguments)
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .directory(self.home.path().join("work/deep"))
    }

    /// Writes a file that only this user can read.
    fn write(&self, path: &str, text: &str) {
        let path = self.home.path().join(path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn path(&self, path: &str) -> String {
        self.home.path().join(path).to_string_lossy().into_owned()
    }

    /// The line of `context show` for this key.
    #[track_caller]
    fn shows(&self, arguments: &[&str], variables: &[(&str, &str)], line: &str) {
        let mut run = self.run(&[&["context", "show"], arguments].concat());
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let line = line.replace("CONFIG", &self.path("config/mqtt/contexts"));
        let line = line.replace("WORK", &self.path("work"));
        run.stdout_like(move |text| {
            let found = text.lines().any(|each| each == line);
            assert!(found, "{line} is not in\n{text}");
            found
        })
        .run();
    }
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn contexts_are_added_listed_selected_and_removed() {
    let user = User::new();
    let lab = [
        "context",
        "add",
        "lab",
        "-h",
        "lab.example",
        "-u",
        "ann",
        "-P",
        "secret",
    ];
    user.run(&["context", "ls"]).run();
    user.run(&lab).run();
    let file = user.path("config/mqtt/contexts/lab.toml");
    let text = "host = \"lab.example\"\nusername = \"ann\"\npassword = \"secret\"\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(
        (mode(&file), mode(user.path("config/mqtt"))),
        (0o600, 0o700)
    );
    user.run(&lab)
        .stderr(format!(
            "mqtt: there is a context lab already, in {file}; --replace replaces it\n"
        ))
        .status(2)
        .run();
    user.run(&["context", "add", "home", "-L", "mqtts://10.0.0.1"])
        .run();
    user.run(&["context", "select", "lab"]).run();
    user.run(&["context", "ls"]).stdout("  home\n* lab\n").run();
    let changed = [
        "context",
        "add",
        "lab",
        "--replace",
        "--context",
        "lab",
        "-h",
        "other",
    ];
    user.run(&changed).run();
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        text.replace("lab.example", "other")
    );
    user.run(&["context", "rm", "lab"]).run();
    user.run(&["context", "ls", "--json"])
        .stdout("{\"name\":\"home\",\"selected\":false}\n")
        .run();
    for verb in ["rm", "select", "show"] {
        user.run(&["context", verb, "lab"])
            .stderr(format!(
                "mqtt: there is no context lab ({verb}), mqtt context ls lists those there are; this one would be in {file}\n"
            ))
            .status(2)
            .run();
    }
    user.run(&["context", "add", "../lab", "-h", "a"])
        .stderr("mqtt: \"../lab\" is no name for a context: it is made of letters, digits and . _ -, and begins with a letter, a digit or _\n")
        .status(2)
        .run();
    user.run(&["context", "add", "empty"])
        .stderr("mqtt: nothing to save; give the options of the connection, as in mqtt context add lab -h HOST -u NAME\n")
        .status(2)
        .run();
}

#[test]
fn the_nearest_source_wins_and_show_says_which_it_is() {
    let user = User::new();
    for name in ["typed", "variable", "folder", "selected"] {
        let host = format!("{name}.example");
        user.run(&["context", "add", name, "-h", &host, "-u", name, "-k", "30"])
            .run();
    }
    let variable = ("MQTT_CONTEXT", "variable");
    user.shows(&[], &[], "# host = HOST # not set");
    user.run(&["context", "select", "selected"]).run();
    user.shows(
        &[],
        &[],
        "host = \"selected.example\" # CONFIG/selected.toml line 1",
    );
    user.write("work/.mqtt.toml", "context = \"folder\"\n");
    user.shows(
        &[],
        &[],
        "host = \"folder.example\" # CONFIG/folder.toml line 1",
    );
    user.write("work/.mqtt.toml", "port = 7\nhost = \"here\"\n");
    user.shows(&[], &[], "host = \"here\" # WORK/.mqtt.toml line 2");
    user.shows(&[], &[], "# username = NAME # not set");
    user.shows(&["-p", "8"], &[], "port = 8 # flag");
    user.shows(
        &[],
        &[variable],
        "host = \"variable.example\" # CONFIG/variable.toml line 1",
    );
    let context = ["--context", "typed"];
    user.shows(
        &context,
        &[variable],
        "host = \"typed.example\" # CONFIG/typed.toml line 1",
    );
    user.shows(
        &["typed"],
        &[variable],
        "keepalive = 30 # CONFIG/typed.toml line 3",
    );
    user.shows(&["typed", "-k", "9"], &[], "keepalive = 9 # flag");
    user.shows(&["--context", ""], &[variable], "# host = HOST # not set");
    // Who names a broker has named all of it.
    user.shows(&["-h", "else"], &[variable], "# username = NAME # not set");
    let url = ("MQTT_URL", "mqtt://bob:pw@far:9");
    user.shows(
        &[],
        &[url, variable],
        "url = \"mqtt://bob:***@far:9\" # MQTT_URL",
    );
    user.shows(&[], &[url, variable], "# username = NAME # not set");
    user.shows(&context, &[url], "# url = URL # not set");
    // A name and a password alone go with whatever broker it is.
    let name = ("MQTT_USERNAME", "eve");
    user.shows(&[], &[name, variable], "username = \"eve\" # MQTT_USERNAME");
    user.shows(
        &context,
        &[name],
        "username = \"typed\" # CONFIG/typed.toml line 2",
    );
    let password = ("MQTT_PASSWORD", "secret");
    user.shows(
        &[],
        &[password, variable],
        "password = \"***\" # MQTT_PASSWORD",
    );
}

#[test]
fn every_command_that_connects_takes_its_options_from_the_context() {
    let user = User::new();
    user.write("password", "from the file\n");
    let config = user.path("config/mqtt/contexts");
    fs::create_dir_all(&config).unwrap();
    for command in [
        &["pub", "-t", "a", "-m", "x"][..],
        &["sub", "-t", "a", "-E"],
        &["req", "-t", "a", "-m", "x", "-e", "r", "-W", "1"],
        &["bench", "pub", "--publishers", "1", "--count", "1"],
    ] {
        let said = said_by(|port| {
            let text = format!(
                "host = \"127.0.0.1\"\nport = {port}\nusername = \"ann\"\npassword-file = \"../../../password\"\nid = \"me\"\n"
            );
            user.write("config/mqtt/contexts/lab.toml", &text);
            let any = user.run(&[command, &["--context", "lab"]].concat());
            any.stdout_any()
        });
        assert_eq!(said, ("ann".into(), "from the file".into()), "{command:?}");
    }
}

#[test]
fn what_a_file_may_not_say_is_an_error_with_its_line() {
    let user = User::new();
    fs::create_dir_all(user.path("config/mqtt/contexts")).unwrap();
    let file = "config/mqtt/contexts/lab.toml";
    let wrong = |name: &str, text: &str, words: &str| {
        user.write(name, text);
        let arguments: &[&str] = match name == file {
            true => &["pub", "-t", "a", "-m", "x", "--context", "lab"],
            false => &["pub", "-t", "a", "-m", "x"],
        };
        user.run(arguments)
            .stderr(format!("mqtt: {} {words}\n", user.path(name)))
            .status(1)
            .run();
    };
    for (text, words) in [
        (
            "port = 1\nhots = \"a\"",
            "line 2: unknown key \"hots\", did you mean host? (`mqtt context add --help` lists the options)",
        ),
        (
            "payload = \"a\"",
            "line 1: unknown key \"payload\" (`mqtt context add --help` lists the options)",
        ),
        (
            "port = \"1883\"",
            "line 1: port: a whole number is wanted, and this is a string",
        ),
        ("port = 70000", "line 1: port: 70000 is not in 1..=65535"),
        (
            "retry = \"often\"",
            "line 1: retry: it is a number, or forever",
        ),
        (
            "\nurl = \"mqtt://a/topic\"",
            "line 2: url: a context is about a broker; leave the topic out of the URL",
        ),
        (
            "host = \"a\"\nurl = \"mqtt://a\"",
            "line 1: host: the argument '--host <HOST>' cannot be used with '--url <URL>'",
        ),
        (
            "host = ",
            "line 1: this is not TOML: string values must be quoted, expected literal string",
        ),
    ] {
        wrong(file, text, words);
    }
    let folder = "work/.mqtt.toml";
    wrong(
        folder,
        "host = \"a\"\npassword-command = \"x\"",
        "line 2: password-command: a file found in a folder runs no program; a context may",
    );
    wrong(
        folder,
        "tls-key-log = \"x\"",
        "line 1: tls-key-log: a file found in a folder has nothing written; a context may",
    );
    user.write("elsewhere", "secret\n");
    std::os::unix::fs::symlink(user.path("elsewhere"), user.path("work/here")).unwrap();
    for outside in ["../elsewhere", "here"] {
        wrong(
            folder,
            &format!("password-file = \"{outside}\""),
            "line 1: password-file: a file found in a folder gives no file elsewhere away as a password; a context may",
        );
    }
    wrong(
        folder,
        "port = 1\ncontext = \"a\"",
        "line 2: a file that names a context holds nothing else",
    );
    wrong(folder, "context = 1", "line 1: context: a string is wanted");
}

#[test]
fn a_word_in_place_of_a_number_comes_back_as_it_was_added() {
    let user = User::new();
    let endless = ["--retry", "forever", "-x", "never", "--id", "me"];
    user.run(&[&["context", "add", "lab"][..], &endless].concat())
        .run();
    user.shows(
        &["lab"],
        &[],
        "retry = \"forever\" # CONFIG/lab.toml line 3",
    );
    user.shows(
        &["lab"],
        &[],
        "session-expiry-interval = \"never\" # CONFIG/lab.toml line 2",
    );
    user.write("config/mqtt/contexts/lab.toml", "retry = 3\n");
    user.shows(&["lab"], &[], "retry = 3 # CONFIG/lab.toml line 1");
}

#[test]
fn contexts_are_removed_all_or_none() {
    let user = User::new();
    for name in ["a", "c"] {
        user.run(&["context", "add", name, "-h", "x"]).run();
    }
    user.run(&["context", "rm", "a", "b", "c"])
        .stderr(format!(
            "mqtt: there is no context b (rm), mqtt context ls lists those there are; this one would be in {}\n",
            user.path("config/mqtt/contexts/b.toml")
        ))
        .status(2)
        .run();
    user.run(&["context", "ls"]).stdout("  a\n  c\n").run();
    user.run(&["context", "rm", "a", "c"]).run();
    user.run(&["context", "ls"]).run();
}

#[test]
fn a_password_that_others_can_read_is_not_used() {
    let user = User::new();
    user.run(&["context", "add", "lab", "-h", "lab.example"])
        .run();
    let file = user.path("config/mqtt/contexts/lab.toml");
    for (text, is_refused) in [
        ("password = \"secret\"\n", true),
        ("url = \"mqtt://ann:secret@lab.example\"\n", true),
        ("key-password = \"secret\"\ncert = \"a\"\n", true),
        (
            "ws = true\nws-header = [\"Authorization: Bearer secret\"]\n",
            true,
        ),
        (
            "url = \"mqtt://ann@lab.example\"\npassword-file = \"secret\"\n",
            false,
        ),
    ] {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let show = user.run(&["context", "show", "lab"]);
        match is_refused {
            true => show
                .stderr(format!(
                    "mqtt: {file} holds a password and others can read it; chmod 600 {file}\n"
                ))
                .status(1),
            false => show.stdout_any(),
        }
        .run();
    }
}

#[test]
fn a_question_and_its_answer_take_their_broker_from_a_context() {
    let (user, broker) = (User::new(), MqttServe::start([""; 0]));
    user.run(&["context", "add", "lab", "-p", &broker.port()])
        .run();
    let reply = [
        "reply",
        "--context",
        "lab",
        "-t",
        "ask",
        "-q",
        "1",
        "-m",
        "42",
    ];
    let mut answering = user.run(&reply).start();
    let ask = ["req", "-t", "ask", "-q", "1", "-n"];
    eventually("somebody answers", || {
        assert!(answering.is_running(), "{}", answering.stderr());
        let asked = user.run(&ask).env("MQTT_CONTEXT", "lab").start().wait();
        // Before it has subscribed nobody is there, which the broker says.
        (asked.status == 0).then(|| assert_eq!(asked.stdout_text(), "42\n"))
    });
    assert_eq!(answering.stop("TERM").status, 0);
    user.run(&["reply", "--context", "nowhere", "-t", "ask", "--echo"])
        .status(2)
        .stderr_like(|said| said.contains("nowhere"))
        .run();
}
