//! Texts of any length over a broker that takes packets of a limited one: cut into parcels, and put together again.
//!
//! A parcel is a line `ID PART/PARTS`, the id in hexadecimal and the parts counted from 1, and behind it a piece of the text. Parcels
//! of one sender come in order, but at QoS 1 one may come again.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// Bytes for the line before the piece: three numbers at their longest.
const LINE: usize = 16 + 1 + 10 + 1 + 10 + 1;

/// The longest text that is put together: the saved run of a long load has a few megabytes.
const LONGEST: usize = 256 << 20;

/// How many texts of one sender may be under way at a time.
const OPEN: usize = 4;

/// How many finished texts are remembered, so that one that comes again is known.
const KNOWN: usize = 64;

/// Cuts a text into parcels of at most `limit` bytes.
pub fn cut(id: u64, text: &str, limit: usize) -> Vec<Bytes> {
    let piece = limit.saturating_sub(LINE).max(1);
    let pieces: Vec<&[u8]> = match text.is_empty() {
        true => vec![b""],
        false => text.as_bytes().chunks(piece).collect(),
    };
    let parts = pieces.len();
    let parcel = |(part, piece): (usize, &&[u8])| {
        let mut bytes = format!("{id:x} {}/{parts}\n", part + 1).into_bytes();
        bytes.extend_from_slice(piece);
        Bytes::from(bytes)
    };
    pieces.iter().enumerate().map(parcel).collect()
}

/// What has come from one sender.
#[derive(Debug, Default)]
pub struct Shelf {
    open: HashMap<u64, Open>,
    /// Ids of finished texts, the oldest first.
    known: VecDeque<u64>,
}

/// A text of which not all parts are there.
#[derive(Debug)]
struct Open {
    parts: usize,
    /// The next part, from 1.
    next: usize,
    bytes: Vec<u8>,
}

impl Shelf {
    /// Takes a parcel in; the whole text when this was the last one.
    ///
    /// # Errors
    /// When it is none, or does not go with those before it.
    pub fn take(&mut self, parcel: &[u8]) -> Result<Option<String>, String> {
        let (id, part, parts, piece) =
            read(parcel).ok_or("it does not begin with ID PART/PARTS")?;
        if self.known.contains(&id) {
            return Ok(None);
        }
        let is_new = !self.open.contains_key(&id);
        if is_new && self.open.len() >= OPEN {
            return Err(format!("more than {OPEN} texts at a time"));
        }
        let open = self.open.entry(id).or_insert(Open {
            parts,
            next: 1,
            bytes: Vec::new(),
        });
        if part < open.next {
            return Ok(None); // It has come again.
        }
        let wrong = match () {
            () if part != open.next || parts != open.parts => Some(format!(
                "part {part} of {parts} came where {} of {} was due",
                open.next, open.parts
            )),
            () if open.bytes.len() + piece.len() > LONGEST => {
                Some(format!("a text of more than {LONGEST} bytes"))
            }
            () => None,
        };
        if let Some(words) = wrong {
            self.open.remove(&id);
            return Err(words);
        }
        open.bytes.extend_from_slice(piece);
        open.next += 1;
        if part < parts {
            return Ok(None);
        }
        let bytes = self.open.remove(&id).map(|open| open.bytes);
        self.known.push_back(id);
        if self.known.len() > KNOWN {
            self.known.pop_front();
        }
        let text = String::from_utf8(bytes.unwrap_or_default());
        text.map(Some).map_err(|_| "it is not UTF-8".to_owned())
    }
}

/// Id, part, parts and piece.
fn read(parcel: &[u8]) -> Option<(u64, usize, usize, &[u8])> {
    let end = parcel.iter().take(LINE).position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&parcel[..end]).ok()?;
    let (id, rest) = line.split_once(' ')?;
    let (part, parts) = rest.split_once('/')?;
    let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
    let id = u64::from_str_radix(id, 16).ok()?;
    (1 <= part && part <= parts).then_some((id, part, parts, &parcel[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_comes_again_is_left_aside_and_what_is_missing_is_told() {
        let mut shelf = Shelf::default();
        let parcels = cut(7, "abcdef", LINE + 2);
        assert_eq!(parcels[0], "7 1/3\nab");
        assert_eq!(shelf.take(&parcels[0]), Ok(None));
        assert_eq!(shelf.take(&parcels[0]), Ok(None), "again");
        assert_eq!(shelf.take(&parcels[1]), Ok(None));
        assert_eq!(shelf.take(&parcels[2]), Ok(Some("abcdef".to_owned())));
        for parcel in &parcels {
            assert_eq!(shelf.take(parcel), Ok(None), "the whole text again");
        }
        let parcels = cut(8, "abcdef", LINE + 2);
        shelf.take(&parcels[0]).unwrap();
        let words = shelf.take(&parcels[2]).unwrap_err();
        assert_eq!(words, "part 3 of 3 came where 2 of 3 was due");
    }

    #[test]
    fn what_is_no_parcel_is_refused() {
        for wrong in [
            &b""[..],
            b"abc",
            b"1\n",
            b"1 2\n",
            b"1 0/1\n",
            b"1 2/1\n",
            b"x 1/1\n",
            b"1 1/1",
            b"\xff 1/1\n",
        ] {
            assert!(Shelf::default().take(wrong).is_err(), "{wrong:?}");
        }
        assert!(Shelf::default().take(b"1 1/1\n\xff").is_err());
        let mut shelf = Shelf::default();
        for id in 0..4 {
            shelf.take(&cut(id, "abcdef", LINE + 2)[0]).unwrap();
        }
        assert!(shelf.take(&cut(4, "abcdef", LINE + 2)[0]).is_err());
    }

    proptest! {
        #[test]
        fn a_text_comes_out_as_it_went_in(text in ".{0,300}", id: u64, limit in 1usize..200) {
            let mut shelf = Shelf::default();
            let parcels = cut(id, &text, limit);
            let (last, before) = parcels.split_last().unwrap();
            for parcel in before {
                prop_assert!(parcel.len() <= limit.max(LINE + 1));
                prop_assert_eq!(shelf.take(parcel), Ok(None));
            }
            prop_assert_eq!(shelf.take(last), Ok(Some(text)));
        }

        #[test]
        fn any_bytes_can_be_taken_in(parcels in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let mut shelf = Shelf::default();
            for parcel in parcels {
                let _ = shelf.take(&parcel);
            }
        }

        #[test]
        fn any_line_can_be_taken_in(lines in proptest::collection::vec("[0-9a-f]{0,2} [0-9]{1,3}/[0-9]{1,20}\n[a-z]{0,3}", 0..8)) {
            let mut shelf = Shelf::default();
            for line in lines {
                let _ = shelf.take(line.as_bytes());
            }
        }
    }
}
