//! `mqtt context`: connection options under a name.

use std::io::{self, Write};

use serde_json::json;

use crate::cli::context::{AddArgs, ContextArgs, Verb};
use crate::exit::Exit;
use crate::output::{Output, Unwritable};
use crate::settings::contexts::Contexts;
use crate::settings::{self, Setting};

/// Does what the verb says.
///
/// # Errors
/// [`Exit::Usage`] for a name that is none, is taken, or that nobody has; otherwise when a file cannot be read or written.
pub fn run(args: ContextArgs) -> anyhow::Result<Exit> {
    let contexts = Contexts::new(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
    match args.verb {
        Verb::Add(args) => add(&contexts, &args)?,
        Verb::Ls(args) => return list(&contexts, args.json),
        Verb::Show(args) => return print(args.settings.iter().map(shown)),
        Verb::Select(args) => contexts.select(args.name.as_deref())?,
        Verb::Rm(args) => {
            // All or none.
            for name in &args.names {
                contexts.existing(name, "rm")?;
            }
            for name in &args.names {
                contexts.remove(name)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn add(contexts: &Contexts, args: &AddArgs) -> anyhow::Result<()> {
    if let Some(fault) = args
        .connection
        .url
        .as_deref()
        .and_then(settings::fault_of_url)
    {
        return Err(Exit::Usage.because(format!("--url: {fault}")));
    }
    let said = args
        .settings
        .iter()
        .filter(|setting| setting.origin != "default");
    let lines: Vec<String> = said
        .filter_map(|Setting { key, value, .. }| Some(format!("{key} = {}\n", value.as_ref()?)))
        .collect();
    if lines.is_empty() {
        return Err(Exit::Usage.because(
            "nothing to save; give the options of the connection, as in mqtt context add lab -h HOST -u NAME",
        ));
    }
    contexts.write(&args.name, &lines.concat(), args.replace)?;
    Ok(())
}

/// As a line of a context's file, with who said so behind it, and without secrets.
fn shown(setting: &Setting) -> String {
    let value = setting.value.as_ref();
    let value = value.map(|value| settings::without_secrets(&setting.key, value));
    Setting {
        value,
        ..setting.clone()
    }
    .to_string()
}

/// The selected one has a star.
fn list(contexts: &Contexts, as_json: bool) -> anyhow::Result<Exit> {
    let selected = contexts.selected()?;
    print(contexts.names()?.iter().map(|name| {
        let is_selected = selected.as_ref() == Some(name);
        match (as_json, is_selected) {
            (true, _) => json!({ "name": name, "selected": is_selected }).to_string(),
            (false, true) => format!("* {name}"),
            (false, false) => format!("  {name}"),
        }
    }))
}

fn print(lines: impl Iterator<Item = String>) -> anyhow::Result<Exit> {
    let mut output = Output::new(io::stdout());
    for line in lines {
        writeln!(output.buffer, "{line}")?;
    }
    match output.flush() {
        Ok(()) | Err(Unwritable::Closed) => Ok(Exit::Done),
        Err(error) => Err(error.into()),
    }
}
