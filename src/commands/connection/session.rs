//! Under which name the client connects, how long its session lives, and what to do when the connection fails.

use crate::cli::connection::{Extent, SessionArgs, SessionPropertyArgs, TakeoverPolicy};
use crate::client::{ConnectOptions, Takeover};
use crate::commands::properties::add_user_properties;
use crate::exit::Exit;
use crate::mqtt::{Properties, Property, Version};

/// Puts the client id and the kind of session into `options`.
///
/// # Errors
/// [`Exit::Usage`] when a session is to be kept under a name nobody could come back with.
pub fn set_session(options: &mut ConnectOptions, args: &SessionArgs) -> anyhow::Result<()> {
    let is_named = args.id.is_some() || args.id_prefix.is_some();
    options.takeover = match args.takeover {
        TakeoverPolicy::Stop if is_named => Takeover::Stop,
        TakeoverPolicy::Stop => Takeover::StopWhenTold,
        TakeoverPolicy::Fight => Takeover::Fight,
    };
    match (&args.id, &args.id_prefix) {
        (Some(id), _) => options.client_id.clone_from(id),
        (None, Some(prefix)) => options.client_id = format!("{prefix}{}", std::process::id()),
        (None, None) => {}
    }
    if options.client_id.len() > usize::from(u16::MAX) {
        return Err(Exit::Usage.because("a client id is at most 65535 bytes long"));
    }
    if options.client_id.contains('\0') {
        return Err(Exit::Usage.because("a client id contains no NUL"));
    }
    if args.disable_clean_session {
        // Nobody has the number of this process again; its session has to come to an end.
        let ends = args.id_prefix.is_some() && args.properties.session_expiry_interval.is_some();
        if args.id.as_deref().unwrap_or_default().is_empty() && !ends {
            return Err(Exit::Usage.because(
                "--disable-clean-session keeps the session of a named client; add --id NAME",
            ));
        }
        options.clean_start = false;
        options.session_expiry = u32::MAX;
    }
    if let Some(extent) = args.properties.session_expiry_interval {
        if extent == Extent::ENDLESS && args.id.as_deref().unwrap_or_default().is_empty() {
            return Err(Exit::Usage
                .because("a session without end is that of a named client; add --id NAME"));
        }
        options.session_expiry = extent.0;
        options.need_version_5();
    }
    options.receive_maximum = args.properties.receive_maximum;
    options.properties = properties(&args.properties)?;
    if !options.properties.is_empty() || args.properties.receive_maximum.is_some() {
        options.need_version_5();
    }
    options.retries = args.retry.map(|extent| extent.0);
    options.longest_delay = args.retry_max_delay;
    options.follows_redirects = args.follow_redirects;
    if args.follow_redirects && options.version < Version::V5 {
        options.need_version_5();
    }
    Ok(())
}

/// What else CONNECT says in MQTT 5.
fn properties(args: &SessionPropertyArgs) -> anyhow::Result<Properties> {
    let mut properties = Properties::default();
    properties
        .0
        .extend(args.maximum_packet_size.map(Property::MaximumPacketSize));
    properties
        .0
        .extend(args.topic_alias_maximum.map(Property::TopicAliasMaximum));
    add_user_properties(
        &mut properties,
        &args.connect_user_property,
        "--connect-user-property",
    )?;
    Ok(properties)
}
