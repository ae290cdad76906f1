//! Which brokers the clients take in turn.

use crate::cli::bench::LoadArgs;
use crate::cli::connection::ConnectionArgs;
use crate::client::Endpoint;
use crate::commands::connection::typed_broker;
use crate::exit::Exit;

/// The brokers, where there are several, and the connection options of the one that says how all are reached: the first
/// that is reached by TLS, or the first.
///
/// # Errors
/// When hosts and ports do not go together, a URL is none, or the URLs have several users.
pub(super) fn brokers(args: &LoadArgs) -> anyhow::Result<(Vec<Endpoint>, ConnectionArgs)> {
    let several = each(args)?;
    if several.is_empty() {
        return Ok((args.broker.clone(), args.connection.clone()));
    }
    let mut endpoints = Vec::new();
    let mut users = Vec::new();
    for connection in &several {
        let (endpoint, username, password) = typed_broker(connection)?;
        endpoints.push(endpoint);
        users.push((username, password));
    }
    if users.iter().any(|user| *user != users[0]) {
        return Err(Exit::Usage.because(
            "the URLs have several users, and the clients have one: name it by --username and --password",
        ));
    }
    let with_tls = endpoints
        .iter()
        .position(|endpoint| endpoint.scheme.has_tls());
    let connection = several[with_tls.unwrap_or(0)].clone();
    Ok((endpoints, connection))
}

/// The connection options of each broker, when there are several.
fn each(args: &LoadArgs) -> anyhow::Result<Vec<ConnectionArgs>> {
    let typed = &args.brokers;
    let (hosts, ports) = (&typed.hosts, &typed.ports);
    if typed.urls.len() > 1 {
        let urls = typed.urls.iter().map(|url| ConnectionArgs {
            url: Some(url.clone()),
            ..args.connection.clone()
        });
        return Ok(urls.collect());
    }
    let count = hosts.len().max(ports.len());
    if count < 2 {
        return Ok(Vec::new());
    }
    if hosts.len() > 1 && ports.len() > 1 && hosts.len() != ports.len() {
        return Err(Exit::Usage.because(format!(
            "{} hosts and {} ports do not go together: give one port, one for each host, or one host",
            hosts.len(),
            ports.len()
        )));
    }
    let brokers = (0..count).map(|number| ConnectionArgs {
        host: hosts.get(number).or(hosts.first()).cloned(),
        port: ports.get(number).or(ports.first()).copied(),
        ..args.connection.clone()
    });
    Ok(brokers.collect())
}
