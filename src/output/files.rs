//! Messages into files: one after the other, by size, by age or by a time in the name. The clock is handed in.
//!
//! The name may hold specifiers of strftime, `log-%Y-%m-%d.txt`: when they become another name, that file is the next.
//! A file that is full or old enough is renamed, `FILE.1`, `FILE.2` and so on, the highest being the newest, and begun anew.
//! A message is never split over two files. What is there already is appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// The name of the files, with the time in it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    pattern: String,
}

/// When a file is followed by the next, and how many are kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// Before a file would be larger than this, in bytes; one message may be larger.
    pub size: Option<u64>,
    /// When a file is this old.
    pub age: Option<Duration>,
    /// Files that are kept beside the present one, the newest.
    pub keep: Option<usize>,
}

/// Files that messages are written to.
pub struct Files {
    name: FileName,
    rotation: Rotation,
    zone: TimeZone,
    present: Option<Present>,
    /// What is to be written to the present file.
    pub buffer: Vec<u8>,
}

/// The file that is written to.
struct Present {
    path: PathBuf,
    file: File,
    /// Bytes in it.
    size: u64,
    begun: Timestamp,
}

/// What went wrong with which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {path}: {error}", path = .path.display())]
pub struct FileError {
    what: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl FromStr for FileName {
    type Err = String;

    fn from_str(text: &str) -> Result<FileName, String> {
        let name = FileName {
            pattern: text.to_owned(),
        };
        match name.at(Timestamp::UNIX_EPOCH, &TimeZone::UTC) {
            Ok(path) if path.file_name().is_some() => Ok(name),
            Ok(_) => Err("it names no file".to_owned()),
            Err(error) => Err(format!("{error}; write a plain % as %%")),
        }
    }
}

impl FileName {
    /// Whether a time is part of it.
    pub fn has_time(&self) -> bool {
        self.pattern.contains('%')
    }

    /// Whether the folder's name depends on the time, so that the files lie in several folders.
    pub fn has_time_in_folder(&self) -> bool {
        Path::new(&self.pattern)
            .parent()
            .is_some_and(|folder| folder.to_string_lossy().contains('%'))
    }

    fn at(&self, time: Timestamp, zone: &TimeZone) -> Result<PathBuf, jiff::Error> {
        if !self.has_time() {
            return Ok(PathBuf::from(&self.pattern));
        }
        let time = BrokenDownTime::from(&time.to_zoned(zone.clone()));
        time.to_string(&self.pattern).map(PathBuf::from)
    }

    /// The number behind a file's name, 0 for one without, if it is one of these files.
    fn number(&self, file_name: &str) -> Option<u64> {
        let pattern = Path::new(&self.pattern).file_name()?.to_str()?;
        let is_ours = |name: &str| match self.has_time() {
            true => BrokenDownTime::parse(pattern, name).is_ok(),
            false => name == pattern,
        };
        if is_ours(file_name) {
            return Some(0);
        }
        let (name, number) = file_name.rsplit_once('.')?;
        let number = number.parse().ok()?;
        is_ours(name).then_some(number)
    }
}

impl Files {
    /// No file is opened yet.
    pub fn new(name: FileName, rotation: Rotation, zone: TimeZone) -> Files {
        Files {
            name,
            rotation,
            zone,
            present: None,
            buffer: Vec::new(),
        }
    }

    /// Whether so much has come together that it should be written.
    pub fn is_full(&self) -> bool {
        self.buffer.len() >= super::FULL
    }

    /// To be called before a message that came at `now` is appended to the buffer: the right file is open after it.
    ///
    /// # Errors
    /// When a file cannot be written, renamed or opened.
    pub fn prepare(&mut self, now: Timestamp) -> Result<(), FileError> {
        let path = self.name.at(now, &self.zone);
        // Tried when it was parsed; should a time have no name, the file of the time before goes on.
        let path = path
            .ok()
            .or_else(|| Some(self.present.as_ref()?.path.clone()));
        let path = path.unwrap_or_default();
        let age = self.rotation.age;
        let is_old = |present: &Present| {
            let lived = now.duration_since(present.begun);
            age.is_some_and(|age| Duration::try_from(lived).is_ok_and(|lived| lived >= age))
        };
        match &self.present {
            Some(present) if present.path != path => {
                self.flush()?;
                self.open(path, now)?;
                self.remove_oldest()
            }
            Some(present) if is_old(present) => {
                self.flush()?;
                self.rotate(now)
            }
            Some(_) => Ok(()),
            None => {
                self.open(path, now)?;
                match self.present.as_ref().is_some_and(is_old) {
                    true => self.rotate(now),
                    false => self.remove_oldest(),
                }
            }
        }
    }

    /// To be called after it was appended, with the buffer's length before: if it is more than the file may hold, it
    /// begins the next one.
    ///
    /// # Errors
    /// When a file cannot be written, renamed or opened.
    pub fn appended(&mut self, before: usize, now: Timestamp) -> Result<(), FileError> {
        let (Some(limit), Some(present)) = (self.rotation.size, &self.present) else {
            return Ok(());
        };
        let held = present.size + before as u64;
        if held > 0 && present.size + self.buffer.len() as u64 > limit {
            let message = self.buffer.split_off(before);
            self.flush()?;
            self.rotate(now)?;
            self.buffer = message;
        }
        Ok(())
    }

    /// Writes the buffer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> Result<(), FileError> {
        if let Some(present) = &mut self.present
            && !self.buffer.is_empty()
        {
            let outcome = present.file.write_all(&self.buffer);
            outcome.map_err(|error| failed("write to", &present.path, error))?;
            present.size += self.buffer.len() as u64;
        }
        self.buffer.clear();
        self.buffer.shrink_to(4 * super::FULL);
        Ok(())
    }

    fn open(&mut self, path: PathBuf, now: Timestamp) -> Result<(), FileError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed("make", folder, error))?;
        }
        let open = || {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let metadata = file.metadata()?;
            let size = metadata.len();
            let since = metadata.created().or_else(|_| metadata.modified())?;
            let begun = match size {
                0 => now,
                _ => Timestamp::try_from(since).unwrap_or(now),
            };
            io::Result::Ok((file, size, begun))
        };
        let (file, size, begun) = open().map_err(|error| failed("open", &path, error))?;
        self.present = Some(Present {
            path,
            file,
            size,
            begun,
        });
        Ok(())
    }

    /// Renames the present file to the next number and begins it anew.
    fn rotate(&mut self, now: Timestamp) -> Result<(), FileError> {
        let Some(Present { path, .. }) = self.present.take() else {
            return Ok(());
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let numbers = siblings(&path)?.into_iter().filter_map(|(sibling, _)| {
            let number = sibling.strip_prefix(&*name)?.strip_prefix('.')?;
            // What is larger was never counted up to here.
            number.parse::<u32>().ok()
        });
        let next = u64::from(numbers.max().unwrap_or(0)) + 1;
        let renamed = path.with_file_name(format!("{name}.{next}"));
        unless_gone(fs::rename(&path, &renamed)).map_err(|error| failed("rename", &path, error))?;
        self.open(path.clone(), now)?;
        self.remove_oldest()
    }

    /// Removes those of our files that are more than are to be kept.
    fn remove_oldest(&self) -> Result<(), FileError> {
        let (Some(keep), Some(present)) = (self.rotation.keep, &self.present) else {
            return Ok(());
        };
        let mut others: Vec<(SystemTime, u64, PathBuf)> = siblings(&present.path)?
            .into_iter()
            .map(|(name, modified)| (present.path.with_file_name(&name), name, modified))
            .filter(|(path, ..)| *path != present.path)
            .filter_map(|(path, name, modified)| Some((modified, self.name.number(&name)?, path)))
            .collect();
        others.sort();
        let surplus = others.len().saturating_sub(keep);
        for (_, _, path) in others.drain(..surplus) {
            unless_gone(fs::remove_file(&path)).map_err(|error| failed("remove", &path, error))?;
        }
        Ok(())
    }
}

/// The files in the same folder, each with when it was last written to.
fn siblings(path: &Path) -> Result<Vec<(String, SystemTime)>, FileError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let list = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                found.push((name, metadata.modified()?));
            }
        }
        io::Result::Ok(found)
    };
    list().map_err(|error| failed("list", folder, error))
}

/// Somebody else may have taken the file away meanwhile: then it is done.
fn unless_gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn failed(what: &'static str, path: &Path, error: io::Error) -> FileError {
    FileError {
        what,
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Folder {
            Folder(tempfile::tempdir().unwrap())
        }

        fn files(&self, name: &str, rotation: Rotation) -> Files {
            let path = self.0.path().join(name);
            let name = path.to_str().unwrap().parse().unwrap();
            Files::new(name, rotation, TimeZone::UTC)
        }

        /// Every file with what is in it, by name.
        fn contents(&self) -> Vec<(String, String)> {
            let mut all: Vec<(String, String)> = fs::read_dir(self.0.path())
                .unwrap()
                .map(|entry| entry.unwrap())
                .filter(|entry| entry.path().is_file())
                .map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    (name, fs::read_to_string(entry.path()).unwrap())
                })
                .collect();
            all.sort();
            all
        }
    }

    fn at(hour: i64) -> Timestamp {
        // 2026-11-23 00:00:00 UTC
        Timestamp::from_second(1_795_392_000 + hour * 3600).unwrap()
    }

    fn write(files: &mut Files, message: &str, now: Timestamp) {
        files.prepare(now).unwrap();
        let before = files.buffer.len();
        files.buffer.extend_from_slice(message.as_bytes());
        files.appended(before, now).unwrap();
    }

    fn named(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(name, text)| (name.to_string(), text.to_string()))
            .collect()
    }

    #[test]
    fn a_full_file_is_followed_by_the_next_and_no_message_is_split() {
        let folder = Folder::new();
        let rotation = Rotation {
            size: Some(10),
            ..Rotation::default()
        };
        let mut files = folder.files("log", rotation);
        for message in ["aaaa\n", "bbbb\n", "cc\n", "much too long for one\n", "d\n"] {
            write(&mut files, message, at(0));
        }
        files.flush().unwrap();
        let expected = [
            ("log", "d\n"),
            ("log.1", "aaaa\nbbbb\n"),
            ("log.2", "cc\n"),
            ("log.3", "much too long for one\n"),
        ];
        assert_eq!(folder.contents(), named(&expected));
        // Another run goes on where this one ended.
        let mut files = folder.files("log", rotation);
        for message in ["eeee\n", "ffff\n"] {
            write(&mut files, message, at(1));
        }
        files.flush().unwrap();
        assert_eq!(folder.contents()[..1], named(&[("log", "ffff\n")]));
        assert_eq!(folder.contents()[4..], named(&[("log.4", "d\neeee\n")]));
    }

    #[test]
    fn only_so_many_files_are_kept_and_nothing_else_is_touched() {
        let folder = Folder::new();
        fs::write(folder.0.path().join("log.old"), "mine").unwrap();
        fs::write(folder.0.path().join("catalog.1"), "mine").unwrap();
        let rotation = Rotation {
            size: Some(1),
            keep: Some(2),
            ..Rotation::default()
        };
        let mut files = folder.files("log", rotation);
        for number in 0..20 {
            write(&mut files, &format!("{number}\n"), at(0));
        }
        files.flush().unwrap();
        let expected = [
            ("catalog.1", "mine"),
            ("log", "19\n"),
            ("log.18", "17\n"),
            ("log.19", "18\n"),
            ("log.old", "mine"),
        ];
        assert_eq!(folder.contents(), named(&expected));
    }

    #[test]
    fn a_file_that_somebody_takes_away_is_begun_anew_and_names_of_others_do_not_count() {
        let folder = Folder::new();
        let foreign = format!("log.{}", u64::MAX);
        fs::write(folder.0.path().join(&foreign), "mine").unwrap();
        let rotation = Rotation {
            size: Some(1),
            ..Rotation::default()
        };
        let mut files = folder.files("log", rotation);
        write(&mut files, "1\n", at(0));
        files.flush().unwrap();
        fs::remove_file(folder.0.path().join("log")).unwrap();
        write(&mut files, "2\n", at(0));
        write(&mut files, "3\n", at(0));
        files.flush().unwrap();
        let expected = [("log", "3\n"), ("log.1", "2\n"), (&*foreign, "mine")];
        assert_eq!(folder.contents(), named(&expected));
    }

    #[test]
    fn a_time_in_the_name_makes_the_next_file() {
        let folder = Folder::new();
        let rotation = Rotation {
            keep: Some(2),
            ..Rotation::default()
        };
        let mut files = folder.files("log-%Y-%m-%d.txt", rotation);
        for day in 0..4 {
            write(&mut files, &format!("{day} early\n"), at(24 * day));
            write(&mut files, &format!("{day} late\n"), at(24 * day + 23));
        }
        files.flush().unwrap();
        let expected = [
            ("log-2026-11-24.txt", "1 early\n1 late\n"),
            ("log-2026-11-25.txt", "2 early\n2 late\n"),
            ("log-2026-11-26.txt", "3 early\n3 late\n"),
        ];
        assert_eq!(folder.contents(), named(&expected));
    }

    #[test]
    fn an_old_file_is_followed_by_the_next() {
        let folder = Folder::new();
        let rotation = Rotation {
            age: Some(Duration::from_secs(3600)),
            ..Rotation::default()
        };
        let mut files = folder.files("deep/log", rotation);
        let start = Timestamp::now();
        for minutes in [0, 59, 60, 130] {
            let now = start + SignedDuration::from_mins(minutes);
            write(&mut files, &format!("{minutes}\n"), now);
        }
        files.flush().unwrap();
        let read =
            |name: &str| fs::read_to_string(folder.0.path().join("deep").join(name)).unwrap();
        assert_eq!(read("log.1"), "0\n59\n");
        assert_eq!(read("log.2"), "60\n");
        assert_eq!(read("log"), "130\n");
    }

    #[test]
    fn a_name_that_is_none_is_refused_and_a_file_that_cannot_be_made_is_named() {
        for (name, words) in [("", "it names no file"), ("..", "it names no file")] {
            assert_eq!(name.parse::<FileName>(), Err(words.to_owned()));
        }
        let error = "a%!".parse::<FileName>().unwrap_err();
        assert!(error.ends_with("; write a plain % as %%"), "{error}");
        let mut files = Files::new(
            "/dev/null/log".parse().unwrap(),
            Rotation::default(),
            TimeZone::UTC,
        );
        let error = files.prepare(at(0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot make /dev/null: File exists (os error 17)"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_name_makes_it_panic(text in "[%a-z0-9./-]{0,12}", file in "[a-z0-9.-]{0,12}") {
            if let Ok(name) = text.parse::<FileName>() {
                let _ = name.at(at(0), &TimeZone::UTC);
                name.number(&file);
            }
        }
    }
}
