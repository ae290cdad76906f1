//! The client side of MQTT: connect to a broker, publish, subscribe and receive, in a small vocabulary over all
//! protocol versions. The only room that names rumqttc, whose event loops do the protocol.
//!
//! [`session`] is what the rest of the program sees. It leaves out what a message means, where it comes from and
//! how it is shown.

mod accepted;
mod courier;
mod detour;
mod driblets;
mod driver;
mod failure;
mod kept;
mod losses;
mod notes;
pub mod options;
mod outgoing;
mod retry;
pub mod session;
mod takeover;
#[cfg(test)]
pub(crate) mod tests;
pub mod trace;
pub mod transport;
mod url;
mod v3;
mod v5;
mod watch;
mod wire;

pub use accepted::Unfit;
pub use courier::{Answer, Courier};
pub use detour::{Detour, Detours};
pub use failure::{Failure, Obstacle};
pub use options::{ConnectOptions, Will};
pub use retry::{Retry, chance};
pub use session::{Event, Session, connect};
pub use takeover::Takeover;
pub use url::{BrokerUrl, DEFAULT_PATH, Endpoint, Scheme, UrlError};

use crate::mqtt::{QoS, Version};

/// The most messages of QoS 1 and 2 under way, if their bytes allow. With 100, a stream of small messages waits for a broker on the same
/// machine a third of the time.
const WINDOW: u16 = 1000;

/// The most packets the library reads or writes before it looks at the other direction.
const BATCH: usize = 128;

/// How many messages of QoS 1 and 2 may be under way whose highest quality of service is this. A broker of MQTT 5 says
/// itself when that is too many. Of others mosquitto's default has to be assumed: it cuts off a client with more than 20
/// unfinished messages of QoS 2.
fn window(version: Version, highest: QoS) -> usize {
    match (version, highest) {
        (Version::V31 | Version::V311, QoS::ExactlyOnce) => 20,
        _ => usize::from(WINDOW),
    }
}
