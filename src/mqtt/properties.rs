//! MQTT 5 properties (2.2.2): the table of identifiers, their types, and where each may appear.

use bytes::Bytes;

use super::ByteString;

/// The properties of one packet, in the order they were sent. Empty costs no allocation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Properties(pub Vec<Property>);

/// One property (2.2.2.2). User properties and, from a server, subscription identifiers may repeat.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Property {
    PayloadFormatIndicator(u8),
    MessageExpiryInterval(u32),
    ContentType(ByteString),
    ResponseTopic(ByteString),
    CorrelationData(Bytes),
    SubscriptionIdentifier(u32),
    SessionExpiryInterval(u32),
    AssignedClientIdentifier(ByteString),
    ServerKeepAlive(u16),
    AuthenticationMethod(ByteString),
    AuthenticationData(Bytes),
    RequestProblemInformation(u8),
    WillDelayInterval(u32),
    RequestResponseInformation(u8),
    ResponseInformation(ByteString),
    ServerReference(ByteString),
    ReasonString(ByteString),
    ReceiveMaximum(u16),
    TopicAliasMaximum(u16),
    TopicAlias(u16),
    MaximumQoS(u8),
    RetainAvailable(u8),
    UserProperty(ByteString, ByteString),
    MaximumPacketSize(u32),
    WildcardSubscriptionAvailable(u8),
    SubscriptionIdentifierAvailable(u8),
    SharedSubscriptionAvailable(u8),
}

/// `name: Variant -> type` gives `Properties::name(&self) -> Option<type>`: the first property of that kind.
macro_rules! accessors {
    ($($name:ident: $variant:ident -> $type:ty),* $(,)?) => {
        impl Properties {
            $(
                #[doc = concat!("The first `", stringify!($variant), "`, if there is one.")]
                pub fn $name(&self) -> Option<$type> {
                    self.0.iter().find_map(|property| match property {
                        Property::$variant(value) => Some(value.clone()),
                        _ => None,
                    })
                }
            )*
        }
    };
}

accessors! {
    payload_format_indicator: PayloadFormatIndicator -> u8,
    message_expiry_interval: MessageExpiryInterval -> u32,
    content_type: ContentType -> ByteString,
    response_topic: ResponseTopic -> ByteString,
    correlation_data: CorrelationData -> Bytes,
    subscription_identifier: SubscriptionIdentifier -> u32,
    session_expiry_interval: SessionExpiryInterval -> u32,
    assigned_client_identifier: AssignedClientIdentifier -> ByteString,
    server_keep_alive: ServerKeepAlive -> u16,
    authentication_method: AuthenticationMethod -> ByteString,
    authentication_data: AuthenticationData -> Bytes,
    request_problem_information: RequestProblemInformation -> u8,
    will_delay_interval: WillDelayInterval -> u32,
    request_response_information: RequestResponseInformation -> u8,
    response_information: ResponseInformation -> ByteString,
    server_reference: ServerReference -> ByteString,
    reason_string: ReasonString -> ByteString,
    receive_maximum: ReceiveMaximum -> u16,
    topic_alias_maximum: TopicAliasMaximum -> u16,
    topic_alias: TopicAlias -> u16,
    maximum_qos: MaximumQoS -> u8,
    retain_available: RetainAvailable -> u8,
    maximum_packet_size: MaximumPacketSize -> u32,
}

impl Properties {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one at the end.
    pub fn push(&mut self, property: Property) {
        self.0.push(property);
    }

    /// The user properties, in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&ByteString, &ByteString)> {
        self.0.iter().filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }
}
