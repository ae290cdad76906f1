//! What the codec promises, by hand-written bytes (`known`), by generated packets and bytes (`generated`), and by
//! the list of everything that must be refused (`malformed`).

mod known;
