//! What the codec promises: by hand-written bytes (`known`), by everything that must be refused (`refused`, with
//! its list in `malformed`), by tables gone through to the end (`exhaustive`), and by generated packets and bytes
//! (`generated`, with its packets from `packets`).

mod exhaustive;
mod generated;
mod known;
pub(crate) mod malformed;
mod packets;
mod refused;
