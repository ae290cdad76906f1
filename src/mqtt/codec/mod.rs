//! The wire codec: bytes to packets and back.
