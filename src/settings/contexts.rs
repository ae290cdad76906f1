//! The contexts on disk: `contexts/NAME.toml` in our folder of the user's configuration, and the name of the selected one in
//! `selected` beside them. A context may hold a password, so only its owner can read what is written here.
//!
//! What the files mean is not known here.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::exit::Exit;

/// Where the contexts are, if this user has a place for them.
#[derive(Debug, Clone)]
pub struct Contexts(Option<PathBuf>);

impl Contexts {
    /// In `$XDG_CONFIG_HOME/mqtt`, or `~/.config/mqtt` when that is not set or, as its specification has it, not
    /// absolute. An empty variable counts as not set.
    pub fn new(environment: impl Fn(&str) -> Option<OsString>) -> Contexts {
        let path = |name: &str| environment(name).map(PathBuf::from);
        let absolute = |path: &PathBuf| path.is_absolute();
        let home = || {
            path("HOME")
                .filter(absolute)
                .map(|home| home.join(".config"))
        };
        let home = path("XDG_CONFIG_HOME").filter(absolute).or_else(home);
        Contexts(home.map(|home| home.join("mqtt")))
    }

    fn folder(&self) -> anyhow::Result<&Path> {
        let none = || anyhow!("there is no place for contexts; set HOME or XDG_CONFIG_HOME");
        self.0.as_deref().ok_or_else(none)
    }

    /// The file of a context, which may not be there.
    ///
    /// # Errors
    /// [`Exit::Usage`] when that is no name for one.
    pub fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        let inside = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        if name.is_empty() || !name.chars().all(inside) || name.starts_with(['.', '-']) {
            return Err(Exit::Usage.because(format!(
                "{name:?} is no name for a context: it is made of letters, digits and . _ -, and begins with a letter, a digit or _"
            )));
        }
        Ok(self.folder()?.join("contexts").join(format!("{name}.toml")))
    }

    /// The file of a context that is there.
    ///
    /// # Errors
    /// [`Exit::Usage`] when it is not.
    pub fn existing(&self, name: &str, source: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name)?;
        if path.exists() {
            return Ok(path);
        }
        Err(Exit::Usage.because(format!(
            "there is no context {name} ({source}), mqtt context ls lists those there are; this one would be in {}",
            path.display()
        )))
    }

    /// The names of all contexts, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let folder = self.folder()?.join("contexts");
        let cannot = || format!("cannot read {}", folder.display());
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(cannot)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.with_context(cannot)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".toml"));
            names.extend(
                name.filter(|name| self.path(name).is_ok())
                    .map(String::from),
            );
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The name of the selected context.
    ///
    /// # Errors
    /// When the file that says so cannot be read.
    pub fn selected(&self) -> anyhow::Result<Option<String>> {
        let Some(folder) = &self.0 else {
            return Ok(None);
        };
        let path = folder.join("selected");
        match fs::read_to_string(&path) {
            Ok(name) => Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Selects a context, or none.
    ///
    /// # Errors
    /// When there is no such context, or it cannot be written down.
    pub fn select(&self, name: Option<&str>) -> anyhow::Result<()> {
        let path = self.folder()?.join("selected");
        match name {
            Some(name) => {
                self.existing(name, "select")?;
                write(&path, &format!("{name}\n"), true)
            }
            None => remove(&path).or_else(|error| match error.downcast_ref::<io::Error>() {
                Some(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
        }
    }

    /// Writes a context, and says where.
    ///
    /// # Errors
    /// [`Exit::Usage`] when there is one of this name that is not to be replaced; or when it cannot be written.
    pub fn write(&self, name: &str, text: &str, replace: bool) -> anyhow::Result<PathBuf> {
        let path = self.path(name)?;
        if !replace && path.exists() {
            return Err(Exit::Usage.because(format!(
                "there is a context {name} already, in {}; --replace replaces it",
                path.display()
            )));
        }
        write(&path, text, replace)?;
        Ok(path)
    }

    /// Removes a context; if it was selected, none is then.
    ///
    /// # Errors
    /// [`Exit::Usage`] when there is none; or when it cannot be removed.
    pub fn remove(&self, name: &str) -> anyhow::Result<()> {
        remove(&self.existing(name, "rm")?)?;
        if self.selected()?.as_deref() == Some(name) {
            self.select(None)?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// Writes a file whole, or not at all, that only its owner can read.
fn write(path: &Path, text: &str, replace: bool) -> anyhow::Result<()> {
    let beside = path.with_added_extension("part");
    let write = || {
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // What an earlier attempt may have left.
        let _ = fs::remove_file(&beside);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if replace {
            fs::rename(&beside, path)
        } else {
            // Unlike a rename, this never replaces what somebody else has written in the meantime.
            fs::hard_link(&beside, path).and_then(|()| fs::remove_file(&beside))
        }
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contexts_in(home: &Path) -> Contexts {
        Contexts::new(|name| (name == "XDG_CONFIG_HOME").then(|| home.as_os_str().to_owned()))
    }

    #[test]
    fn the_folder_follows_the_base_directory_specification() {
        for (xdg, home, expected) in [
            ("/xdg", "/home/ann", Some("/xdg/mqtt")),
            ("", "/home/ann", Some("/home/ann/.config/mqtt")),
            ("relative", "/home/ann", Some("/home/ann/.config/mqtt")),
            ("", "", None),
        ] {
            let environment = |name: &str| Some(if name == "HOME" { home } else { xdg }.into());
            let Contexts(folder) = Contexts::new(environment);
            assert_eq!(folder, expected.map(PathBuf::from), "{xdg:?} {home:?}");
        }
    }

    #[test]
    fn a_context_that_is_removed_is_no_longer_selected() {
        let home = tempfile::tempdir().unwrap();
        let contexts = contexts_in(home.path());
        assert_eq!(contexts.names().unwrap(), [""; 0]);
        for name in ["lab", "home.2"] {
            contexts.write(name, "port = 1\n", false).unwrap();
        }
        assert!(contexts.write("lab", "port = 2\n", false).is_err());
        contexts.write("lab", "port = 3\n", true).unwrap();
        assert_eq!(contexts.names().unwrap(), ["home.2", "lab"]);
        assert!(contexts.select(Some("none")).is_err());
        contexts.select(Some("lab")).unwrap();
        contexts.remove("home.2").unwrap();
        assert_eq!(contexts.selected().unwrap().as_deref(), Some("lab"));
        contexts.remove("lab").unwrap();
        assert_eq!(contexts.selected().unwrap(), None);
        contexts.select(None).unwrap();
        assert!(contexts.remove("lab").is_err());
    }

    proptest! {
        #[test]
        fn a_name_never_leads_out_of_the_folder(name in "\\PC{0,12}") {
            let contexts = contexts_in(Path::new("/c"));
            if let Ok(path) = contexts.path(&name) {
                prop_assert_eq!(path.parent(), Some(Path::new("/c/mqtt/contexts")));
                let ending = format!("{name}.toml");
                prop_assert_eq!(path.file_name(), Some(std::ffi::OsStr::new(&ending)));
            }
        }
    }
}
