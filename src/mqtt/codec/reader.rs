//! A cursor over the body of one packet, and the data types of chapter 1.5. Everything is borrowed; each call
//! names what it is reading, so that a packet which is cut short says where.

use super::frame::{minimal_width, variable};
use super::{Malformed, malformed, protocol_error};

/// The bytes not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    #[inline]
    pub(super) fn take(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| cut(what))?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| cut(what))?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn two_bytes(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(super) fn four_bytes(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// A packet identifier, which is never 0 [MQTT-2.2.1-3].
    #[inline]
    pub(super) fn packet_id(&mut self) -> Result<u16, Malformed> {
        match self.two_bytes("packet identifier")? {
            0 => Err(protocol_error("the packet identifier is 0")),
            packet_id => Ok(packet_id),
        }
    }

    /// A variable byte integer inside an MQTT 5 packet, in its shortest encoding [MQTT-1.5.5-1].
    #[inline]
    pub(super) fn variable(&mut self, what: &'static str) -> Result<u32, Malformed> {
        let (value, width) = variable(self.rest)?.ok_or_else(|| cut(what))?;
        if width != minimal_width(value) {
            return Err(malformed(format!(
                "the {what} is written with more bytes than it needs"
            )));
        }
        self.rest = &self.rest[width..];
        Ok(value)
    }

    /// Binary data (1.5.6).
    #[inline]
    pub(super) fn binary(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.two_bytes(what)?;
        self.take(usize::from(length), what)
    }

    /// A UTF-8 encoded string (1.5.4): well formed, surrogates excluded, and without U+0000.
    #[inline]
    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, Malformed> {
        let bytes = self.binary(what)?;
        // A fold and not `contains`: without the early end it is vectorised.
        if bytes.iter().fold(false, |nul, &byte| nul | (byte == 0)) {
            return Err(malformed(format!("the {what} contains the null character")));
        }
        utf8(bytes, what)
    }

    /// The property block with its length (2.2.2.1), not looked into.
    #[inline]
    pub(super) fn property_block(&mut self) -> Result<&'a [u8], Malformed> {
        if let Some((0, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Ok(&[]);
        }
        let length = self.variable("property length")?;
        self.take(length as usize, "properties")
    }

    /// Nothing may be left of the packet.
    pub(super) fn end(self, packet: &'static str) -> Result<(), Malformed> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(malformed(format!(
                "{packet} goes on for {left} bytes after its end"
            ))),
        }
    }
}

#[inline]
pub(super) fn utf8<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str, Malformed> {
    std::str::from_utf8(bytes)
        .map_err(|_| malformed(format!("the {what} is not well-formed UTF-8")))
}

#[cold]
pub(super) fn cut(what: &'static str) -> Malformed {
    malformed(format!("the packet ends inside the {what}"))
}
