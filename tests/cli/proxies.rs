//! Scripted proxies: one connection each, which is relayed once the handshake is played.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;

/// A proxy that says afterwards what it was asked for.
pub struct Proxy {
    pub address: String,
    thread: JoinHandle<String>,
}

impl Proxy {
    /// SOCKS 5 that wants this user name and password, if any, and answers with this code; 0 relays.
    pub fn socks(user: Option<&'static str>, code: u8) -> Proxy {
        Proxy::start(move |client| {
            let methods = usize::from(read(client, 2)[1]);
            let methods = read(client, methods);
            let said = match user {
                None => {
                    client.write_all(&[5, 0]).unwrap();
                    String::new()
                }
                Some(_) if !methods.contains(&2) => {
                    client.write_all(&[5, 0xFF]).unwrap();
                    return (String::new(), None);
                }
                Some(user) => {
                    client.write_all(&[5, 2]).unwrap();
                    let length = usize::from(read(client, 2)[1]);
                    let name = text(read(client, length));
                    let length = usize::from(read(client, 1)[0]);
                    let said = format!("{name}:{}", text(read(client, length)));
                    client.write_all(&[1, u8::from(said != user)]).unwrap();
                    if said != user {
                        return (said, None);
                    }
                    format!("{said} ")
                }
            };
            let host = match read(client, 4)[3] {
                1 => read(client, 4)
                    .iter()
                    .map(u8::to_string)
                    .collect::<Vec<_>>()
                    .join("."),
                3 => {
                    let length = usize::from(read(client, 1)[0]);
                    text(read(client, length))
                }
                other => panic!("address type {other}"),
            };
            let port = read(client, 2);
            let target = format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]));
            client
                .write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0])
                .unwrap();
            (format!("{said}{target}"), (code == 0).then_some(target))
        })
    }

    /// HTTP that answers CONNECT with this line; one with 200 relays.
    pub fn http(answer: &'static str) -> Proxy {
        Proxy::start(move |client| {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(read(client, 1)[0]);
            }
            let request = text(request);
            let target = request.split(' ').nth(1).unwrap().to_owned();
            client
                .write_all(format!("{answer}\r\nX-Proxy: test\r\n\r\n").as_bytes())
                .unwrap();
            (request, answer.contains(" 200 ").then_some(target))
        })
    }

    /// The handshake returns what was asked for, and where to connect to.
    fn start(
        handshake: impl FnOnce(&mut TcpStream) -> (String, Option<String>) + Send + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let thread = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let (said, target) = handshake(&mut client);
            if let Some(target) = target {
                relay(client, TcpStream::connect(target).unwrap());
            }
            said
        });
        Proxy { address, thread }
    }

    /// What it was asked for, once the connection has ended.
    pub fn asked(self) -> String {
        self.thread.join().unwrap()
    }
}

fn relay(client: TcpStream, broker: TcpStream) {
    let pump = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Write));
        })
    };
    let there = pump(client.try_clone().unwrap(), broker.try_clone().unwrap());
    let back = pump(broker, client);
    there.join().unwrap();
    back.join().unwrap();
}

fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Takes one connection over TLS with this certificate and hands on what is in it. Returns where it listens.
pub fn behind_tls(authority: &Authority, name: &str, address: &str) -> String {
    let file = |end: &str| authority.path(&format!("{name}.{end}"));
    let chain = CertificateDer::pem_file_iter(file("crt")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain.map(Result::unwrap).collect(),
            PrivateKeyDer::from_pem_file(file("key")).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap();
    let behind = address.to_owned();
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        client.set_nonblocking(true).unwrap();
        let relay = async {
            let client = tokio::net::TcpStream::from_std(client).unwrap();
            // A client that does not believe the certificate goes away.
            let Ok(mut client) = TlsAcceptor::from(Arc::new(config)).accept(client).await else {
                return;
            };
            let mut proxy = tokio::net::TcpStream::connect(behind).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut proxy).await;
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(relay);
    });
    format!("localhost:{}", own.port())
}
