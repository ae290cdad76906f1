//! MQTT in WebSocket frames (6.0): the opening handshake, then the bytes of binary messages as one stream.
//!
//! Where a frame begins and ends means nothing to MQTT. Compression is left out: no MQTT broker offers it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{ProtocolError, UrlError};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Request, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::stream::Stream;
use crate::client::url::Endpoint;
use crate::mqtt::codec::MAXIMUM_REMAINING_LENGTH;

/// Bytes read at once. Every connection keeps so much.
const READ: usize = 8 * 1024;
/// The largest message taken: the largest packet and a little more. A header that promises more ends the connection.
const LARGEST: usize = MAXIMUM_REMAINING_LENGTH as usize + READ;

/// What is asked of the web server beside the path: plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, such as `Authorization`.
    name: HeaderName,
    /// Its value.
    value: HeaderValue,
}

impl std::str::FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Header, String> {
        let (name, value) = text
            .split_once(':')
            .ok_or("a header is written 'Name: value'")?;
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| format!("{:?} is no name of a header", name.trim()))?;
        let is_ours = name.as_str().starts_with("sec-websocket-")
            || ["upgrade", "connection"].contains(&name.as_str());
        if is_ours {
            return Err(format!("{name} is part of the WebSocket handshake itself"));
        }
        let value = HeaderValue::from_str(value.trim())
            .map_err(|_| format!("the value of {name} contains a control character"))?;
        Ok(Header { name, value })
    }
}

/// The opening handshake (RFC 6455, 4), with the subprotocol `mqtt`.
///
/// # Errors
/// Why it failed, in words.
pub(super) async fn open(
    stream: Stream,
    endpoint: &Endpoint,
    headers: &[Header],
) -> Result<Stream, String> {
    let request = request(endpoint, headers)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => Ok(Stream::WebSocket(Box::new(Frames {
            stream,
            incoming: Bytes::new(),
        }))),
        Err(error) => Err(refused(&error, endpoint)),
    }
}

fn request(endpoint: &Endpoint, headers: &[Header]) -> Result<Request<()>, String> {
    let unusable = |error: &dyn std::fmt::Display| format!("--ws-path {}: {error}", endpoint.path);
    let mut authority = match endpoint.host.contains(':') {
        // A zone is our own business (RFC 6874, 3).
        true => format!("[{}]", endpoint.host.split('%').next().unwrap_or_default()),
        false => endpoint.host.clone(),
    };
    if endpoint.port != endpoint.scheme.default_port() {
        authority += &format!(":{}", endpoint.port);
    }
    let uri: Uri = format!("{}://{authority}{}", endpoint.scheme, ascii(&endpoint.path))
        .parse()
        .map_err(|error| unusable(&error))?;
    let mut request = uri
        .into_client_request()
        .map_err(|error| unusable(&error))?;
    let ours = request.headers_mut();
    ours.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
    for Header { name, value } in headers {
        // A second Host would be an error; of others there may be several.
        match name.as_str() {
            "host" => drop(ours.insert(name, value.clone())),
            _ => drop(ours.append(name, value.clone())),
        }
    }
    Ok(request)
}

/// A path as it is sent: what is not ASCII in percent codes (RFC 3987, 3.1).
fn ascii(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'!'..=b'~' => encoded.push(char::from(byte)),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

fn refused(error: &Error, endpoint: &Endpoint) -> String {
    match error {
        Error::Http(response) => {
            let advice = match response.status().as_u16() {
                401 | 403 => "; it may want --ws-header 'Authorization: ...'",
                404 => "; check the path (--ws-path)",
                300..=399 => "; it is elsewhere: check the scheme and the path",
                _ => "",
            };
            let place = response.headers().get("location").and_then(|place| place.to_str().ok());
            let place = place.map(|place| format!(" to {place}")).unwrap_or_default();
            format!(
                "no WebSocket at {}: HTTP status {}{place}{advice}",
                endpoint.path,
                response.status()
            )
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            "what answers there speaks WebSocket, but not the subprotocol mqtt; check the path (--ws-path)".to_owned()
        }
        Error::Io(error) if super::is_closed(error) => closed(),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => closed(),
        Error::Io(error) => format!("the WebSocket handshake failed: {}", super::plain(error)),
        Error::Url(UrlError::NoHostName) => "a WebSocket URL needs a host".to_owned(),
        Error::Protocol(ProtocolError::HttparseError(_)) | Error::HttpFormat(_) => {
            "what answers there does not speak HTTP; is it a port for MQTT without WebSocket?".to_owned()
        }
        error => format!("the WebSocket handshake failed: {error}"),
    }
}

fn closed() -> String {
    "it closes the connection when asked for WebSocket; is it a port for MQTT without it, or with TLS (wss://)?".to_owned()
}

/// The binary messages of a WebSocket connection as one stream of bytes.
#[derive(Debug)]
pub struct Frames {
    stream: WebSocketStream<Stream>,
    /// The rest of the present message.
    incoming: Bytes,
}

impl Frames {
    /// The stream the frames go over.
    pub(super) fn below(&self) -> &Stream {
        self.stream.get_ref()
    }
}

impl AsyncRead for Frames {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.incoming.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => self.incoming = bytes,
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                // A client must close on it (6.0.0-1).
                Some(Ok(Message::Text(_))) => {
                    let words = "the broker sent a text frame, and MQTT has binary ones only";
                    return Poll::Ready(Err(io::Error::other(words)));
                }
                Some(Err(error)) => return Poll::Ready(ended(error)),
            }
        }
        let count = buffer.remaining().min(self.incoming.len());
        buffer.put_slice(&self.incoming[..count]);
        self.incoming.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Frames {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut stream = Pin::new(&mut self.stream);
        ready!(stream.as_mut().poll_ready(context)).or_else(ended)?;
        let message = Message::Binary(Bytes::copy_from_slice(bytes));
        stream.start_send(message).or_else(ended)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(flushed.or_else(ended))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The closing handshake; the other side's part of it is read as the end.
        let closed = ready!(Pin::new(&mut self.stream).poll_close(context));
        Poll::Ready(closed.or_else(ended))
    }
}

/// The library's words for the end, as the end of a stream where it is that.
fn ended(error: Error) -> io::Result<()> {
    match error {
        Error::ConnectionClosed => Ok(()),
        Error::AlreadyClosed => Err(io::ErrorKind::BrokenPipe.into()),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
        Error::Io(error) => Err(error),
        error => Err(io::Error::other(format!(
            "the broker broke the WebSocket protocol: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::url::Scheme;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn asked(url: &str, headers: &[&str]) -> String {
        let endpoint: Endpoint = url.parse().unwrap();
        let headers: Vec<Header> = headers.iter().map(|text| text.parse().unwrap()).collect();
        let request = request(&endpoint, &headers).unwrap();
        let header = |name| {
            request
                .headers()
                .get(name)
                .map_or("-", |value| value.to_str().unwrap())
        };
        format!(
            "{} {} {}",
            request.uri().path_and_query().unwrap(),
            header("host"),
            header("x")
        )
    }

    #[test]
    fn the_server_is_asked_for_the_path_under_its_own_name() {
        assert_eq!(asked("ws://h", &[]), "/mqtt h -");
        assert_eq!(
            asked("ws://h:8080/a?b=c", &["X: y z "]),
            "/a?b=c h:8080 y z"
        );
        assert_eq!(asked("wss://h:443/ü%20", &[]), "/%C3%BC%20 h -");
        assert_eq!(asked("wss://[::1]:80", &["host: other"]), "/mqtt other -");
    }

    #[test]
    fn a_header_is_a_name_and_a_value_and_none_of_the_handshakes() {
        for (text, words) in [
            ("X", "a header is written 'Name: value'"),
            ("a b: c", "\"a b\" is no name of a header"),
            (
                "Upgrade: x",
                "upgrade is part of the WebSocket handshake itself",
            ),
            ("X: a\nb", "the value of x contains a control character"),
        ] {
            assert_eq!(text.parse::<Header>().unwrap_err(), words);
        }
    }

    /// The other side, played by the same library, says what it is asked to; returns what it received.
    async fn server(listener: tokio::net::TcpListener, says: Vec<Message>) -> Vec<u8> {
        use futures_util::{SinkExt, StreamExt};
        let (socket, _) = listener.accept().await.unwrap();
        let mut stream = tokio_tungstenite::accept_hdr_async(socket, chooses_mqtt)
            .await
            .unwrap();
        for message in says {
            stream.send(message).await.unwrap();
        }
        let mut received = Vec::new();
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Binary(bytes) = message {
                received.extend_from_slice(&bytes);
            }
        }
        received
    }

    #[allow(clippy::result_large_err, reason = "the library's signature")]
    fn chooses_mqtt(
        _: &Request<()>,
        mut answer: tokio_tungstenite::tungstenite::http::Response<()>,
    ) -> Result<
        tokio_tungstenite::tungstenite::http::Response<()>,
        tokio_tungstenite::tungstenite::http::Response<Option<String>>,
    > {
        let mqtt = HeaderValue::from_static("mqtt");
        answer.headers_mut().insert("Sec-WebSocket-Protocol", mqtt);
        Ok(answer)
    }

    async fn connected(says: Vec<Message>) -> (Stream, tokio::task::JoinHandle<Vec<u8>>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(server(listener, says));
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let endpoint = format!("ws://{address}").parse().unwrap();
        let stream = open(Stream::Tcp(socket), &endpoint, &[]).await.unwrap();
        (stream, server)
    }

    #[tokio::test]
    async fn frames_of_any_size_are_one_stream_in_both_directions() {
        let sent: Vec<u8> = (0..3_000_000_u32)
            .map(|number| (number / 7) as u8)
            .collect();
        let mut says: Vec<Message> = vec![Message::Ping(Bytes::from_static(b"p"))];
        for size in [1, 2_000_000, 5, 999_994] {
            let from: usize = says
                .iter()
                .filter(|each| each.is_binary())
                .map(Message::len)
                .sum();
            says.push(Message::Binary(Bytes::copy_from_slice(
                &sent[from..from + size],
            )));
            says.push(Message::Binary(Bytes::new()));
        }
        says.push(Message::Close(None));
        let (stream, server) = connected(says).await;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut received = Vec::new();
        let read = reader.read_to_end(&mut received);
        let write = async {
            writer.write_all(&sent).await.unwrap();
            writer.flush().await.unwrap();
        };
        let (read, ()) = tokio::join!(read, write);
        assert_eq!(read.unwrap(), sent.len());
        assert!(received == sent);
        drop(reader.unsplit(writer));
        assert!(server.await.unwrap() == sent);
    }

    #[tokio::test]
    async fn a_text_frame_is_a_fault_and_a_close_is_the_end() {
        let (mut stream, _server) = connected(vec![Message::text("hello")]).await;
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the broker sent a text frame, and MQTT has binary ones only"
        );
        let (mut stream, _server) = connected(vec![Message::Close(None)]).await;
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_of_headers_panic(text in ".*") {
            let _ = text.parse::<Header>();
        }

        #[test]
        fn every_path_of_a_url_can_be_asked_for_or_is_named(path in "/[^\\s\\x00-\\x1f]{0,12}") {
            let mut endpoint = Endpoint::new(Scheme::Ws, "h", 80);
            endpoint.path = path;
            if let Err(words) = request(&endpoint, &[]) {
                prop_assert!(words.starts_with("--ws-path /"), "{}", words);
            }
        }
    }
}
