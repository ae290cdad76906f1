//! The client side: the only room that names rumqttc.

pub mod options;

pub use options::{BrokerUrl, ConnectOptions, Endpoint, Scheme, UrlError, Will};
