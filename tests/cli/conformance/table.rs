//! The table of statements against the tests that are there.
