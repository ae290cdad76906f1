//! The client side of MQTT: connect to a broker, publish, subscribe and receive, in a small vocabulary over all
//! protocol versions. The only room that names rumqttc, whose event loops do the protocol.
//!
//! [`session`] is what the rest of the program sees. It leaves out what a message means, where it comes from and
//! how it is shown.

mod driver;
mod failure;
mod kept;
pub mod options;
mod retry;
pub mod session;
mod takeover;
#[cfg(test)]
mod tests;
pub mod transport;
mod url;
mod v3;
mod v5;
mod watch;
mod wire;

pub use failure::Failure;
pub use options::{ConnectOptions, Will};
pub use retry::{Retry, chance};
pub use session::{Event, Session, Unfit, connect};
pub use takeover::Takeover;
pub use url::{BrokerUrl, DEFAULT_PATH, Endpoint, Scheme, UrlError};

/// The most messages of QoS 1 and 2 under way.
const WINDOW: u16 = 100;

/// The most packets the library reads or writes before it looks at the other direction.
const BATCH: usize = 128;
