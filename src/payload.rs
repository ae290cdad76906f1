//! Where payloads come from.
