//! The options of the commands that connect, as far as they were not typed: from the context of `--context`; or else, when
//! nobody has named a broker, from the context of `MQTT_CONTEXT`, the nearest `.mqtt.toml`, or the selected context.
//!
//! One of these files counts as a whole, so that the password of one broker is never sent to another. The variables
//! `MQTT_URL`, `MQTT_USERNAME` and `MQTT_PASSWORD` are read by `commands::connection`; here they only have their place:
//! behind `--context`, before the rest.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use toml::de::{DeTable, DeValue};

use super::contexts::Contexts;
use super::options::{Given, Options, Origin, line_of};
use super::{Setting, value};
use crate::cli::connection::{ConnectionArgs, SessionArgs};
use crate::cli::context::Verb;
use crate::cli::{Cli, Command};
use crate::client::BrokerUrl;
use crate::exit::Exit;

/// The file that speaks for a folder and those in it.
const FOLDER_FILE: &str = ".mqtt.toml";

/// What, if it is typed, names a broker: these options and the first argument of `bench compare`.
const BROKER: [&str; 5] = ["host", "url", "unix", "serve", "first"];

/// Each of these says what the password is.
const PASSWORD: [&str; 4] = [
    "password",
    "password-file",
    "password-command",
    "ask-password",
];

/// Options whose value is a secret.
const SECRETS: [&str; 2] = ["password", "key-password"];

/// What a file that comes with a folder, perhaps a stranger's, may not say, and why.
const NOT_FROM_A_FOLDER: [(&str, &str); 2] = [
    (
        "password-command",
        "a file found in a folder runs no program; a context may",
    ),
    (
        "tls-key-log",
        "a file found in a folder has nothing written; a context may",
    ),
];

/// What is in the names of headers whose value lets somebody in: `Authorization`, `Cookie`, `X-Api-Key` and the like.
const SECRET_HEADERS: [&str; 6] = ["auth", "cookie", "key", "password", "secret", "token"];

/// The variables that `commands::connection` reads, and the options in whose place they stand.
const VARIABLES: [(&str, &str); 3] = [
    ("MQTT_URL", "url"),
    ("MQTT_USERNAME", "username"),
    ("MQTT_PASSWORD", "password"),
];

/// Whether anything but the command line may have a word about the connection.
pub(super) fn may_be_said(
    words: &[OsString],
    environment: &[(OsString, OsString)],
    here: &Path,
) -> bool {
    let names_one = |word: &OsString| word.to_string_lossy().starts_with("--context");
    let variable = |name: &str| variable(environment, name).filter(|value| !value.is_empty());
    words.get(1).is_some_and(|command| command == "context")
        || words.iter().any(names_one)
        || variable("MQTT_CONTEXT").is_some()
        || folder_file(here).is_some()
        // What is wrong with it is said where it is read.
        || !matches!(Contexts::new(variable).selected(), Ok(None))
}

/// The nearest file that speaks for this folder.
fn folder_file(here: &Path) -> Option<PathBuf> {
    let mut above = here.ancestors().map(|folder| folder.join(FOLDER_FILE));
    above.find(|path| path.is_file())
}

/// Whether the command at this path has the options of a connection.
pub(super) fn connects(path: &[&str]) -> bool {
    Options::new(path, |key| key == "context")
        .all()
        .next()
        .is_some()
}

/// Understands `words`, which begin with `path`.
///
/// # Errors
/// A [`clap::Error`] for what was typed, help included; status 2 for a variable and for a context that is not there,
/// status 1 for what a file says.
pub(super) fn parse(
    path: &[&str],
    words: &[OsString],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    here: &Path,
) -> anyhow::Result<Cli> {
    let whole = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(words)?;
    let Some(typed) = within(&whole, path) else {
        return Ok(Cli::try_parse_from(words)?);
    };
    let environment = environment.into_iter();
    // Empty is as good as not set.
    let environment = environment.filter(|(_, value)| !value.is_empty()).collect();
    let place = Place::new(environment, here);
    let options = Options::new(path, is_key);

    let mut given = place.given(path, typed)?;
    let is_typed = |key: &str| options.source(typed, key) == Some(ValueSource::CommandLine);
    let has_password = PASSWORD.iter().any(|key| is_typed(key));
    given.retain(|key, _| {
        let is_meant = options.find(key).is_some() && !is_typed(key);
        is_meant && !(has_password && PASSWORD.contains(&key.as_str()))
    });
    let whole = options.together(words, &given)?;
    let mut cli = Cli::from_arg_matches(&whole)?;
    if let (Command::Context(context), Some(matches)) = (&mut cli.command, within(&whole, path)) {
        let settings = options.settings(matches, &given)?;
        match &mut context.verb {
            Verb::Show(args) => args.settings = place.with_variables(settings),
            Verb::Add(args) => args.settings = place.absolute(settings, &options, matches)?,
            _ => {}
        }
    }
    Ok(cli)
}

/// The matches of the command that `path` leads to.
fn within<'a>(mut matches: &'a ArgMatches, path: &[&str]) -> Option<&'a ArgMatches> {
    for verb in &path[1..] {
        matches = matches.subcommand_matches(verb)?;
    }
    Some(matches)
}

/// Whether an option may stand in a context: those of the connection and of the session may.
fn is_key(key: &str) -> bool {
    let options = SessionArgs::augment_args(ConnectionArgs::augment_args(clap::Command::new("")));
    key != "context"
        && options
            .get_arguments()
            .any(|option| option.get_long() == Some(key))
}

/// The password and the like, for whoever shows a setting to people: `***` in its place.
pub fn without_secrets(key: &str, value: &str) -> String {
    if SECRETS.contains(&key) {
        return "\"***\"".to_owned();
    }
    if key == "ws-header" {
        return match serde_json::from_str::<Vec<String>>(value) {
            Ok(headers) => {
                let shown = headers.iter().map(|each| header_without_secret(each));
                let shown: Vec<String> = shown.map(|each| value::quoted(&each)).collect();
                format!("[{}]", shown.join(", "))
            }
            Err(_) => header_without_secret(value),
        };
    }
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority
        .rsplit_once('@')
        .map(|(user, host)| (user.split_once(':'), host))
    {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:***@{host}{path}"),
        _ => value.to_owned(),
    }
}

/// A header of a request, whose value is a secret if its name says so.
fn header_without_secret(header: &str) -> String {
    let is_secret = |name: &str| {
        let name = name.to_lowercase();
        SECRET_HEADERS.iter().any(|part| name.contains(part))
    };
    match header.split_once(':') {
        Some((name, _)) if is_secret(name) => format!("{name}: ***"),
        _ => header.to_owned(),
    }
}

/// What is wrong with the URL of a context: a topic would be published to by every command.
pub fn fault_of_url(url: &str) -> Option<String> {
    match url.parse::<BrokerUrl>() {
        Err(error) => Some(error.to_string()),
        Ok(url) if url.topic.is_some() => {
            Some("a context is about a broker; leave the topic out of the URL".to_owned())
        }
        Ok(_) => None,
    }
}

/// Where the command is run.
struct Place<'a> {
    environment: Vec<(OsString, OsString)>,
    here: &'a Path,
    contexts: Contexts,
    /// Whatever a context may hold, also what the command at hand has no use for.
    options: Options,
}

impl<'a> Place<'a> {
    fn new(environment: Vec<(OsString, OsString)>, here: &'a Path) -> Place<'a> {
        let contexts = Contexts::new(|name| variable(&environment, name));
        Place {
            environment,
            here,
            contexts,
            options: Options::new(&["mqtt", "context", "add"], is_key),
        }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        variable(&self.environment, name)
    }

    /// What is said elsewhere than in the command line.
    fn given(&self, path: &[&str], typed: &ArgMatches) -> anyhow::Result<Given> {
        let argument = match path {
            ["mqtt", "context", "show"] => &["context", "name"][..],
            _ => &["context"],
        };
        let mut named = argument
            .iter()
            .filter_map(|id| Some((id, typed.get_one::<String>(id)?)));
        if let Some((id, name)) = named.next() {
            // Empty: none at all.
            return match name.is_empty() {
                true => Ok(Given::new()),
                false => {
                    let source = if *id == "name" { "show" } else { "--context" };
                    self.read(&self.contexts.existing(name, source)?)
                }
            };
        }
        let is_typed = |id: &&str| {
            typed.try_contains_id(id).unwrap_or(false)
                && typed.value_source(id) == Some(ValueSource::CommandLine)
        };
        let is_new = path == ["mqtt", "context", "add"];
        let is_named = BROKER.iter().any(is_typed) || self.variable("MQTT_URL").is_some();
        if is_new || is_named {
            return Ok(Given::new());
        }
        let mut given = match self.file()? {
            Some(file) => self.read(&file)?,
            None => Given::new(),
        };
        if self.variable("MQTT_USERNAME").is_some() {
            given.remove("username");
        }
        if self.variable("MQTT_PASSWORD").is_some() {
            given.retain(|key, _| !PASSWORD.contains(&key.as_str()));
        }
        Ok(given)
    }

    /// The file that counts where neither a context nor a broker was named.
    fn file(&self) -> anyhow::Result<Option<PathBuf>> {
        if let Some(name) = self.variable("MQTT_CONTEXT") {
            let name = name.to_string_lossy();
            return self.contexts.existing(&name, "MQTT_CONTEXT").map(Some);
        }
        if let Some(path) = folder_file(self.here) {
            refuse_a_strangers(&path)?;
            return Ok(Some(match self.named_in(&path)? {
                Some(named) => named,
                None => path,
            }));
        }
        let selected = self.contexts.selected()?;
        let existing = |name: String| self.contexts.existing(&name, "the selected one");
        selected.map(existing).transpose()
    }

    /// The context that a folder's file names instead of saying anything itself.
    fn named_in(&self, path: &Path) -> anyhow::Result<Option<PathBuf>> {
        let text = read(path)?;
        // What is wrong with it otherwise is said when it is read as a whole.
        let Ok(table) = DeTable::parse(&text) else {
            return Ok(None);
        };
        let Some((key, value)) = table.get_ref().get_key_value("context") else {
            return Ok(None);
        };
        let origin = Origin::Line(path.to_owned(), line_of(&text, key.span().start));
        match value.get_ref() {
            _ if table.get_ref().len() > 1 => {
                Err(origin.because("a file that names a context holds nothing else"))
            }
            DeValue::String(name) => self.contexts.existing(name, &origin.to_string()).map(Some),
            _ => Err(origin.because("context: a string is wanted")),
        }
    }

    /// What a file says, once it is seen that it may say it.
    fn read(&self, path: &Path) -> anyhow::Result<Given> {
        let mut given = self.options.read_file(path, "a context".to_owned())?;
        let is_folder_file = path.file_name().is_some_and(|name| name == FOLDER_FILE);
        for (key, said) in &mut given {
            let refused = NOT_FROM_A_FOLDER.iter().find(|(other, _)| other == key);
            if let (true, Some((_, words))) = (is_folder_file, refused) {
                return Err(said.origin.because_of(key, words));
            }
            let is_path = self.options.find(key).is_some_and(value::is_path);
            for word in &mut said.words {
                let Some(value) = value::value_of(word, key) else {
                    continue;
                };
                if key == "url"
                    && let Some(fault) = fault_of_url(&value.to_string_lossy())
                {
                    return Err(said.origin.because_of(key, fault));
                }
                if is_path {
                    let file = self.beside(path, value);
                    if is_folder_file && key == "password-file" && !is_within_folder_of(path, &file)
                    {
                        let words = "a file found in a folder gives no file elsewhere away as a password; a context may";
                        return Err(said.origin.because_of(key, words));
                    }
                    *word = value::with_value(key, file.as_os_str());
                }
            }
        }
        let is_secret = |(key, said): (&String, &super::options::Words)| {
            let mut words = said.words.iter().map(|word| word.to_string_lossy());
            words.any(|word| SECRETS.contains(&key.as_str()) || without_secrets(key, &word) != word)
        };
        if given.iter().any(is_secret) && others_can_read(path)? {
            return Err(Exit::Failed.because(format!(
                "{path} holds a password and others can read it; chmod 600 {path}",
                path = path.display()
            )));
        }
        Ok(given)
    }

    /// A path in a file: from the file's folder, or with `~/` from the user's.
    fn beside(&self, file: &Path, path: PathBuf) -> PathBuf {
        match (path.strip_prefix("~"), self.variable("HOME")) {
            (Ok(rest), Some(home)) => Path::new(&home).join(rest),
            _ => file.parent().unwrap_or(self.here).join(path),
        }
    }

    /// The settings with what the variables say where nothing else does.
    fn with_variables(&self, mut settings: Vec<Setting>) -> Vec<Setting> {
        let is_said = |settings: &[Setting], keys: &[&str]| {
            let mut said = settings
                .iter()
                .filter(|setting| setting.origin != "default");
            said.any(|setting| keys.contains(&setting.key.as_str()))
        };
        for (name, key) in VARIABLES {
            let instead = match key {
                "url" => &BROKER[..],
                "password" => &PASSWORD[..],
                key => &[key][..],
            };
            let Some(value) = self.variable(name).filter(|_| !is_said(&settings, instead)) else {
                continue;
            };
            if let Some(setting) = settings.iter_mut().find(|setting| setting.key == key) {
                setting.value = Some(value::quoted(&value.to_string_lossy()));
                setting.origin = name.to_owned();
            }
        }
        settings
    }

    /// The settings with paths that mean the same everywhere.
    fn absolute(
        &self,
        mut settings: Vec<Setting>,
        options: &Options,
        matches: &ArgMatches,
    ) -> anyhow::Result<Vec<Setting>> {
        for setting in settings
            .iter_mut()
            .filter(|setting| setting.value.is_some())
        {
            let Some(option) = options
                .find(&setting.key)
                .filter(|option| value::is_path(option))
            else {
                continue;
            };
            if let Some(path) = matches.get_one::<PathBuf>(option.get_id().as_str()) {
                let path = self.here.join(path);
                let text = path.to_str();
                let text = text.with_context(|| format!("{path:?} is not UTF-8"))?;
                setting.value = Some(value::quoted(text));
            }
        }
        Ok(settings)
    }
}

fn variable(environment: &[(OsString, OsString)], name: &str) -> Option<OsString> {
    let found = environment.iter().find(|(variable, _)| variable == name);
    found.map(|(_, value)| value.clone())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A folder that others can write to may hold a file that sends this user's messages elsewhere.
#[cfg(unix)]
fn refuse_a_strangers(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let owner = fs::metadata(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .uid();
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Exit::Failed.because(format!(
        "{} belongs to another user and is not read; --context '' leaves it aside",
        path.display()
    )))
}

#[cfg(not(unix))]
fn refuse_a_strangers(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> anyhow::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .permissions();
    Ok(permissions.mode() & 0o077 != 0)
}

/// Whether `file`, wherever links lead, is in the folder of `beside` or below. One that is not there is nowhere else.
fn is_within_folder_of(beside: &Path, file: &Path) -> bool {
    let folder = beside.parent().map(Path::canonicalize);
    match (folder, file.canonicalize()) {
        (Some(Ok(folder)), Ok(file)) => file.starts_with(folder),
        _ => true,
    }
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> anyhow::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::publish::PublishArgs;
    use crate::settings::parse_in;
    use proptest::prelude::*;

    /// A user with this `lab` context.
    fn user(context: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let environment = |name: &str| (name == "HOME").then(|| home.path().into());
        let contexts = Contexts::new(environment);
        contexts.write("lab", context, false).unwrap();
        home
    }

    fn understood(home: &Path, words: &[&str]) -> anyhow::Result<Cli> {
        let words = ["mqtt"].iter().chain(words).map(OsString::from);
        let environment = [("HOME".into(), home.into())];
        parse_in(home, words, environment)
    }

    fn published(home: &Path, words: &[&str]) -> anyhow::Result<Box<PublishArgs>> {
        let common = ["pub", "-t", "a", "-m", "x", "--context", "lab"];
        match understood(home, &[&common, words].concat())?.command {
            Command::Pub(args) => Ok(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_typed_option_replaces_its_own_kind_and_nothing_else() {
        let home = user(
            "host = \"a\"\nport = 7\npassword-file = \"~/secret\"\ncafile = \"ca.pem\"\nws = true\n",
        );
        let args = published(home.path(), &["-h", "b", "-P", "pw"]).unwrap();
        let connection = args.connection;
        assert_eq!(connection.host.as_deref(), Some("b"));
        assert_eq!((connection.port, connection.ws), (Some(7), true));
        assert_eq!(connection.password, Some("pw".into()));
        assert_eq!(connection.password_file, None);
        let beside = home.path().join(".config/mqtt/contexts/ca.pem");
        assert_eq!(connection.tls.cafile, Some(beside));
        let args = published(home.path(), &[]).unwrap();
        let secret = home.path().join("secret");
        assert_eq!(args.connection.password_file, Some(secret));
    }

    #[test]
    fn secrets_are_not_shown() {
        for (key, value, shown) in [
            ("password", "\"secret\"", "\"***\""),
            ("key-password", "\"secret\"", "\"***\""),
            (
                "url",
                "\"mqtt://ann:p@ss@h:1/a@b\"",
                "\"mqtt://ann:***@h:1/a@b\"",
            ),
            ("url", "\"mqtt://ann@h/a:b@c\"", "\"mqtt://ann@h/a:b@c\""),
            ("url", "\"mqtt://[::1]:1\"", "\"mqtt://[::1]:1\""),
            ("host", "\"a:b@c\"", "\"a:b@c\""),
            (
                "ws-header",
                "[\"Authorization: Bearer secret\", \"X-Api-Key: secret\", \"Origin: https://a\"]",
                "[\"Authorization: ***\", \"X-Api-Key: ***\", \"Origin: https://a\"]",
            ),
        ] {
            assert_eq!(without_secrets(key, value), shown);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn no_file_makes_it_panic(text in "(\\PC|\n){0,60}|[a-z-]{1,10} = (\\PC{0,12}|\"\\PC{0,12}\")") {
            let home = user(&text);
            let _ = published(home.path(), &[]);
        }

        #[test]
        fn what_is_added_comes_back(name in "\\PC{1,12}", password in "[^\0]{0,12}", port in 1u16..) {
            let home = user("");
            let (port_word, name_word) = (port.to_string(), format!("--username={name}"));
            let password_word = format!("--password={password}");
            let words = ["context", "add", "lab", "-p", &port_word, &name_word, &password_word];
            let Command::Context(context) = understood(home.path(), &words).unwrap().command else {
                panic!("it is not understood");
            };
            let Verb::Add(added) = context.verb else {
                panic!("it is not understood");
            };
            let said = added.settings.iter().filter(|setting| setting.origin != "default");
            let text: String = said.map(|setting| format!("{setting}\n")).collect();
            let home = user(&text);
            let connection = published(home.path(), &[]).unwrap().connection;
            prop_assert_eq!(connection.username, Some(name));
            prop_assert_eq!(connection.password, Some(password.into()));
            prop_assert_eq!(connection.port, Some(port));
        }
    }
}
