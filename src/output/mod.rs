//! How messages and reports are shown.
