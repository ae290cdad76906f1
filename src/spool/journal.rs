//! The files of a spool: journals that are only ever appended to, read back by position, and deleted when nothing in
//! them is needed any more, the oldest first.
//!
//! What it deliberately leaves out is what the records mean. It counts, though, how many messages of each journal are
//! not done, to know which journal can go. One with a message that is not done keeps all later ones: they may say that
//! an older message is done.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;

use super::record::{self, HEAD, MAGIC, Position, Record};
use crate::exit::Exit;

/// A journal that has grown so long, in bytes, is followed by a new one.
const LONG: std::ops::RangeInclusive<u64> = 256..=4 << 20;

pub(super) struct Journals {
    directory: PathBuf,
    /// The oldest first; records are appended to the last.
    journals: VecDeque<Journal>,
    active: File,
    /// Appended, and not yet written.
    buffer: Vec<u8>,
    /// Written, and not yet known to be on the disk.
    is_unsynced: bool,
    /// Whether to wait until it is.
    syncs: bool,
    /// A journal that has grown so long is followed by a new one: a quarter of what all may take together.
    long: u64,
    /// How a new journal begins, but for the number of its first message.
    opening: Record,
}

struct Journal {
    ordinal: u64,
    /// The number of its first message, or of the first of the next journal when it has none.
    first: u64,
    /// Bytes, what is not yet written included.
    length: u64,
    /// Messages that are not done.
    live: u64,
}

/// What one look through all journals brings, record by record.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Position, Record);

impl Journals {
    /// Opens the journals of a folder, reads them through, and cuts off a last record whose writing was interrupted. With none
    /// there `opening` begins the first.
    ///
    /// # Errors
    /// When one cannot be read, or is damaged: nothing is cut off then.
    pub(super) fn open(
        directory: &Path,
        opening: Record,
        (syncs, limit): (bool, u64),
        visit: Visit<'_>,
    ) -> anyhow::Result<Journals> {
        let mut ordinals = ordinals(directory)?;
        let mut journals = VecDeque::new();
        let mut found = None;
        while let Some(ordinal) = ordinals.pop_front() {
            let path = path(directory, ordinal);
            let is_last = ordinals.is_empty();
            let scan = scan(&path, ordinal, visit)
                .with_context(|| format!("cannot read {}", path.display()))?;
            if scan.length < scan.file_length && (!is_last || scan.is_damaged) {
                return Err(Exit::Failed.because(format!(
                    "{} is damaged at byte {}; move it away to go on without the messages it holds",
                    path.display(),
                    scan.length
                )));
            }
            let Some(opened) = scan.opened else {
                // Its making was interrupted; nothing was written to it.
                fs::remove_file(&path)?;
                continue;
            };
            if scan.length < scan.file_length {
                let file = OpenOptions::new().write(true).open(&path)?;
                file.set_len(scan.length)?;
                file.sync_all()?;
            }
            let Record::Opened { next, .. } = &opened else {
                continue;
            };
            journals.push_back(Journal {
                ordinal,
                first: *next,
                length: scan.length,
                live: 0,
            });
            found = Some(opened);
        }
        let opening = found.unwrap_or(opening);
        let active = match journals.back() {
            Some(journal) => OpenOptions::new()
                .append(true)
                .open(path(directory, journal.ordinal))?,
            None => {
                let (journal, file) = begin(directory, 1, &opening, syncs)?;
                journals.push_back(journal);
                file
            }
        };
        Ok(Journals {
            directory: directory.to_owned(),
            journals,
            active,
            buffer: Vec::new(),
            is_unsynced: false,
            syncs,
            long: (limit / 4).clamp(*LONG.start(), *LONG.end()),
            opening,
        })
    }

    /// How every journal begins.
    pub(super) fn opening(&self) -> &Record {
        &self.opening
    }

    /// The number of the first message there may be.
    pub(super) fn first(&self) -> u64 {
        self.journals.front().map_or(1, |journal| journal.first)
    }

    /// Bytes of all journals.
    pub(super) fn length(&self) -> u64 {
        self.journals.iter().map(|journal| journal.length).sum()
    }

    /// Where the next record will stand.
    pub(super) fn end(&self) -> Position {
        let journal = self.journals.back();
        Position {
            journal: journal.map_or(0, |journal| journal.ordinal),
            offset: journal.map_or(0, |journal| journal.length),
        }
    }

    /// Appends a record, to be written by [`Journals::commit`]. Returns where it stands.
    pub(super) fn append(&mut self, record: &Record) -> Position {
        let position = self.end();
        let before = self.buffer.len();
        record.write(&mut self.buffer);
        if let Some(journal) = self.journals.back_mut() {
            journal.length += (self.buffer.len() - before) as u64;
        }
        position
    }

    /// A message more, or one less, that is not done.
    pub(super) fn count(&mut self, number: u64, is_done: bool) {
        let index = self
            .journals
            .partition_point(|journal| journal.first <= number);
        if let Some(journal) = self.journals.get_mut(index.wrapping_sub(1)) {
            journal.live = match is_done {
                false => journal.live + 1,
                true => journal.live.saturating_sub(1),
            };
        }
    }

    /// Writes what was appended, so that it outlives this process.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.active.write_all(&self.buffer)?;
        self.buffer.clear();
        self.buffer.shrink_to(1 << 20);
        self.is_unsynced = true;
        Ok(())
    }

    /// Writes what was appended and, where that is wanted, returns when it is on the disk and outlives the machine.
    /// Journals nobody needs any more are deleted; `next` is the number of the next message.
    pub(super) fn commit(&mut self, next: u64) -> io::Result<()> {
        self.write()?;
        if std::mem::take(&mut self.is_unsynced) && self.syncs {
            self.active.sync_data()?;
        }
        if self
            .journals
            .back()
            .is_some_and(|last| last.length > self.long)
        {
            self.begin_another(next)?;
        }
        while self.journals.len() > 1 && self.journals.front().is_some_and(|old| old.live == 0) {
            if let Some(old) = self.journals.pop_front() {
                fs::remove_file(path(&self.directory, old.ordinal))?;
            }
        }
        Ok(())
    }

    /// Puts a new journal behind the present ones.
    pub(super) fn begin_another(&mut self, next_message: u64) -> io::Result<()> {
        if let Record::Opened { next, .. } = &mut self.opening {
            *next = next_message;
        }
        let ordinal = self.end().journal + 1;
        let (journal, file) = begin(&self.directory, ordinal, &self.opening, self.syncs)?;
        self.journals.push_back(journal);
        self.active = file;
        Ok(())
    }

    /// The records from a position on, as far as they are written. When its journal is gone, nothing in it was needed.
    pub(super) fn read_from(&self, position: Position) -> io::Result<Reader> {
        let oldest = self.before(0);
        let position = match position.journal < oldest.journal {
            true => oldest,
            false => position,
        };
        Reader::new(&path(&self.directory, position.journal), position)
    }

    /// Where the records go on after the last of a journal.
    pub(super) fn after(&self, journal: u64) -> Option<Position> {
        let next = self.journals.iter().find(|each| each.ordinal > journal)?;
        Some(Position {
            journal: next.ordinal,
            offset: MAGIC.len() as u64,
        })
    }

    /// Where to look for a message: at or behind this position.
    pub(super) fn before(&self, number: u64) -> Position {
        let index = self
            .journals
            .partition_point(|journal| journal.first <= number);
        let journal = self.journals.get(index.saturating_sub(1));
        Position {
            journal: journal.map_or(0, |journal| journal.ordinal),
            offset: MAGIC.len() as u64,
        }
    }
}

/// Reads records, one after the other.
pub(super) struct Reader {
    file: BufReader<File>,
    position: Position,
}

impl Reader {
    fn new(path: &Path, position: Position) -> io::Result<Reader> {
        let mut file = BufReader::with_capacity(64 * 1024, File::open(path)?);
        file.seek(SeekFrom::Start(position.offset))?;
        Ok(Reader { file, position })
    }

    /// Where the next record stands.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// The next record; `None` at the end, and at a record that is not whole.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        let mut head = [0; HEAD];
        if !read_whole(&mut self.file, &mut head)? {
            return Ok(None);
        }
        let Some((length, checksum)) = record::head(head) else {
            return Ok(None);
        };
        // Nothing is reserved by a length that is only claimed.
        let mut contents = Vec::new();
        (&mut self.file)
            .take(length as u64)
            .read_to_end(&mut contents)?;
        if contents.len() < length {
            return Ok(None);
        }
        let record = Record::read(Bytes::from(contents), checksum);
        if record.is_some() {
            self.position.offset += (HEAD + length) as u64;
        }
        Ok(record)
    }
}

/// Fills `buffer`; `false` when the file ends before.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A journal read through.
struct Scan {
    /// Its first record, if it has one.
    opened: Option<Record>,
    /// Bytes up to the end of the last whole record.
    length: u64,
    file_length: u64,
    /// What stands behind is not merely a record whose writing was interrupted.
    is_damaged: bool,
}

fn scan(path: &Path, ordinal: u64, visit: Visit<'_>) -> io::Result<Scan> {
    let start = Position {
        journal: ordinal,
        offset: 0,
    };
    let mut reader = Reader::new(path, start)?;
    let file_length = reader.file.get_ref().metadata()?.len();
    let mut magic = [0; MAGIC.len()];
    let mut scan = Scan {
        opened: None,
        length: 0,
        file_length,
        is_damaged: false,
    };
    if !read_whole(&mut reader.file, &mut magic)? {
        return Ok(scan);
    }
    if &magic != MAGIC {
        return Err(io::Error::other("it is no journal of this version"));
    }
    reader.position.offset = MAGIC.len() as u64;
    scan.length = reader.position.offset;
    while let Some(record) = reader.next()? {
        let position = Position {
            journal: ordinal,
            offset: scan.length,
        };
        scan.length = reader.position.offset;
        if scan.opened.is_none() {
            scan.opened = Some(record.clone());
        }
        visit(position, record);
    }
    if scan.length < file_length {
        let mut rest = Vec::new();
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(scan.length))?;
        file.read_to_end(&mut rest)?;
        scan.is_damaged = is_damaged(&rest);
    }
    Ok(scan)
}

/// Whether these bytes, which begin with no whole record, are something else than one whose writing was interrupted.
///
/// That one is the last, and either too short or not filled to its end: the disk leaves zeros where the length was written and
/// the data was not.
fn is_damaged(rest: &[u8]) -> bool {
    let contents = |bytes: &[u8]| {
        let (length, checksum) = record::head(*bytes.first_chunk()?)?;
        let contents = bytes.get(HEAD..HEAD + length)?;
        Some((Bytes::copy_from_slice(contents), checksum))
    };
    let is_whole = |at: usize| {
        record::may_begin(&rest[at..])
            && contents(&rest[at..])
                .is_some_and(|(contents, checksum)| Record::read(contents, checksum).is_some())
    };
    let is_filled = rest.last().is_some_and(|byte| *byte != 0) && contents(rest).is_some();
    is_filled || (1..rest.len()).any(is_whole)
}

/// Makes a journal with its first record, and sees to it that the folder will remember it.
fn begin(
    directory: &Path,
    ordinal: u64,
    opening: &Record,
    syncs: bool,
) -> io::Result<(Journal, File)> {
    let mut bytes = MAGIC.to_vec();
    opening.write(&mut bytes);
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(path(directory, ordinal))?;
    file.write_all(&bytes)?;
    if syncs {
        file.sync_all()?;
        // Elsewhere a folder cannot be opened, and remembers without being asked.
        #[cfg(unix)]
        File::open(directory)?.sync_all()?;
        // So must the folder that holds it, if this one is new as well.
        #[cfg(unix)]
        if ordinal == 1 {
            File::open(directory.canonicalize()?.parent().unwrap_or(directory))?.sync_all()?;
        }
    }
    let first = match opening {
        Record::Opened { next, .. } => *next,
        _ => 1,
    };
    let journal = Journal {
        ordinal,
        first,
        length: bytes.len() as u64,
        live: 0,
    };
    Ok((journal, file))
}

fn path(directory: &Path, ordinal: u64) -> PathBuf {
    directory.join(format!("{ordinal:016}.journal"))
}

/// The journals of a folder, the oldest first. Whatever else lies there is left alone.
fn ordinals(directory: &Path) -> io::Result<VecDeque<u64>> {
    let mut ordinals = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let ordinal: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_suffix(".journal"))
            .and_then(|name| name.parse().ok());
        ordinals.extend(ordinal);
    }
    ordinals.sort_unstable();
    Ok(ordinals.into())
}

#[cfg(test)]
impl Journals {
    /// What is not yet written.
    pub(super) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }
}
