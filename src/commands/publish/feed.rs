//! The messages to be published, one after the other: pieces read when their turn comes, or records of stdin.

use std::fmt;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::payload::{Draft, Piece, Shape, Source, read_records};

/// Where the next draft comes from.
pub(super) enum Feed {
    Pieces(Pieces),
    Records(Records),
}

/// One draft, or why there is none.
pub(super) struct Item {
    pub(super) origin: Origin,
    pub(super) draft: Result<Draft, String>,
}

/// What to call the place a draft came from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Line(u64),
    Record(u64),
    Piece(Piece),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Line(number) => write!(out, "line {number}"),
            Origin::Record(number) => write!(out, "record {number}"),
            Origin::Piece(Piece::File(path)) => write!(out, "{}", path.display()),
            Origin::Piece(Piece::Stdin) => out.write_str("stdin"),
            Origin::Piece(_) => out.write_str("the message"),
        }
    }
}

impl Feed {
    /// Reads the first piece, so that one that cannot be read is found before anything is connected.
    pub(super) fn new(source: Source, times: u64) -> anyhow::Result<Feed> {
        Ok(match source {
            Source::Pieces(pieces) => Feed::Pieces(Pieces::new(pieces, times)?),
            Source::Records { delimiter, shape } => {
                Feed::Records(Records::read_stdin(delimiter, shape)?)
            }
        })
    }

    /// How many drafts there will be, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Feed::Pieces(pieces) => Some(pieces.left),
            Feed::Records(_) => None,
        }
    }

    /// Whether there is a draft that needs no waiting.
    pub(super) fn has_ready(&self) -> bool {
        match self {
            Feed::Pieces(pieces) => pieces.left > 0,
            Feed::Records(records) => records.block.len() > 0,
        }
    }

    /// A draft that needs no waiting.
    pub(super) fn next_ready(&mut self) -> Option<Item> {
        match self {
            Feed::Pieces(pieces) => pieces.next(),
            Feed::Records(records) => records.next_ready(),
        }
    }

    /// Waits until [`Feed::next_ready`] has something; `false` at the end. Nothing is lost when this is cancelled.
    ///
    /// # Errors
    /// When stdin cannot be read.
    pub(super) async fn ready(&mut self) -> std::io::Result<bool> {
        match self {
            Feed::Pieces(pieces) => Ok(pieces.left > 0),
            Feed::Records(records) => records.ready().await,
        }
    }
}

/// Pieces, from the first to the last, as often as asked.
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    next: usize,
    left: u64,
    /// What the first piece held. With one piece only it is kept; of several, files may be large, each is read anew.
    first: Option<Bytes>,
}

impl Pieces {
    fn new(pieces: Vec<Piece>, times: u64) -> anyhow::Result<Pieces> {
        for piece in &pieces {
            if let Piece::File(path) = piece {
                std::fs::metadata(path)
                    .map_err(|error| anyhow::anyhow!("cannot open {}: {error}", path.display()))?;
            }
        }
        let first = match pieces.first() {
            Some(piece) => Some(piece.read(std::io::stdin().lock())?),
            None => None,
        };
        Ok(Pieces {
            left: times.saturating_mul(pieces.len() as u64),
            pieces,
            next: 0,
            first,
        })
    }

    /// The first piece, which has been read.
    pub(super) fn first(&self) -> Option<&Bytes> {
        self.first.as_ref()
    }

    fn next(&mut self) -> Option<Item> {
        self.left = self.left.checked_sub(1)?;
        let piece = self.pieces.get(self.next)?.clone();
        self.next = (self.next + 1) % self.pieces.len();
        let payload = match &self.first {
            Some(payload) if self.pieces.len() == 1 => Ok(payload.clone()),
            _ => match self.first.take() {
                Some(payload) => Ok(payload),
                None => piece.read(std::io::empty()),
            },
        };
        Some(Item {
            origin: Origin::Piece(piece),
            draft: payload
                .map(Draft::from)
                .map_err(|error| format!("{error:#}")),
        })
    }
}

/// Stdin, cut into records.
pub(super) struct Records {
    blocks: mpsc::Receiver<std::io::Result<Vec<Bytes>>>,
    block: std::vec::IntoIter<Bytes>,
    shape: Shape,
    are_lines: bool,
    count: u64,
}

impl Records {
    /// Reads stdin on a thread of its own, because reading it cannot be cancelled; bounded, so that a fast writer waits.
    fn read_stdin(delimiter: Vec<u8>, shape: Shape) -> anyhow::Result<Records> {
        let are_lines = delimiter == b"\n";
        let (sender, blocks) = mpsc::channel(2);
        std::thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                let stdin = std::io::stdin().lock();
                let outcome = read_records(stdin, &delimiter, |records| {
                    sender.blocking_send(Ok(records)).is_ok()
                });
                if let Err(error) = outcome {
                    let _ = sender.blocking_send(Err(error));
                }
            })?;
        Ok(Records {
            blocks,
            block: Vec::new().into_iter(),
            shape,
            are_lines,
            count: 0,
        })
    }

    fn next_ready(&mut self) -> Option<Item> {
        let record = self.block.next()?;
        self.count += 1;
        Some(Item {
            origin: match self.are_lines {
                true => Origin::Line(self.count),
                false => Origin::Record(self.count),
            },
            draft: self.shape.draft(record),
        })
    }

    async fn ready(&mut self) -> std::io::Result<bool> {
        if self.block.len() > 0 {
            return Ok(true);
        }
        match self.blocks.recv().await {
            None => Ok(false),
            Some(block) => {
                self.block = block?.into_iter();
                Ok(true)
            }
        }
    }
}
