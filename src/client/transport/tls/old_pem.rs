//! Private keys as OpenSSL encrypted them before PKCS#8 and still does for who asks: PEM with the cipher in a header
//! (RFC 1421, 4.6). The password becomes the cipher's key by MD5 and nothing more, so whoever has the file can try very many;
//! that is for its owner to know, and no reason to lock them out. Only the ciphers that OpenSSL chooses by `-aes128`, `-aes192`,
//! `-aes256`, `-des3` and `-des` are known here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use md5::{Digest, Md5};
use rustls::pki_types::PrivateKeyDer;

use super::identity::Locked;

/// What begins the headers of an encrypted one.
const ENCRYPTED: &str = "Proc-Type: 4,ENCRYPTED";

/// The first such key of a text.
pub(super) struct OldPem<'a> {
    /// What it is a key of: `RSA PRIVATE KEY`.
    label: &'a str,
    cipher: &'a str,
    /// Hexadecimal.
    start: &'a str,
    /// Base64, in lines.
    body: &'a str,
}

impl OldPem<'_> {
    /// `None` when there is none.
    pub(super) fn find(text: &str) -> Option<OldPem<'_>> {
        let (before, rest) = text.split_once(ENCRYPTED)?;
        let (_, label) = before.rsplit_once("-----BEGIN ")?;
        let (headers, rest) = rest
            .split_once("\n\n")
            .or_else(|| rest.split_once("\r\n\r\n"))?;
        let (body, _) = rest.split_once("-----END ")?;
        let information = headers
            .lines()
            .find_map(|line| line.strip_prefix("DEK-Info: "))?;
        let (cipher, start) = information.trim_end().split_once(',')?;
        Some(OldPem {
            label: label.split("-----").next()?,
            cipher,
            start,
            body,
        })
    }

    /// The key in the clear.
    ///
    /// # Errors
    /// When the password is not the right one, or what is here cannot be decrypted at all.
    pub(super) fn open(&self, password: &[u8]) -> Result<PrivateKeyDer<'static>, Locked> {
        let broken = |words: &str| Locked::Broken(words.to_owned());
        let body: String = self.body.split_whitespace().collect();
        let body = BASE64.decode(body).map_err(|_| broken("it is no base64"))?;
        let start = bytes(self.start).ok_or_else(|| broken("its DEK-Info is not hexadecimal"))?;
        let der = match self.cipher {
            "AES-128-CBC" => decrypted::<aes::Aes128Dec>(password, &start, body),
            "AES-192-CBC" => decrypted::<aes::Aes192Dec>(password, &start, body),
            "AES-256-CBC" => decrypted::<aes::Aes256Dec>(password, &start, body),
            "DES-EDE3-CBC" => decrypted::<des::TdesEde3>(password, &start, body),
            "DES-CBC" => decrypted::<des::Des>(password, &start, body),
            other => return Err(Locked::Cipher(other.to_owned())),
        };
        // With a wrong password one in 256 has a padding that looks right; what it pads is still no key.
        let der = der
            .filter(|der| is_sequence(der))
            .ok_or(Locked::WrongPassword)?;
        match self.label {
            "RSA PRIVATE KEY" => Ok(PrivateKeyDer::Pkcs1(der.into())),
            "EC PRIVATE KEY" => Ok(PrivateKeyDer::Sec1(der.into())),
            other => Err(Locked::Broken(format!("TLS has no use for a {other}"))),
        }
    }
}

/// `None` when the padding shows that it was decrypted by the wrong key, or the start is not as long as a block.
fn decrypted<C: BlockCipherDecrypt + KeyInit>(
    password: &[u8],
    start: &[u8],
    mut body: Vec<u8>,
) -> Option<Vec<u8>> {
    let key = key(password, start.get(..8)?, C::key_size());
    let cipher = Decryptor::<C>::new_from_slices(&key, start).ok()?;
    let clear = cipher.decrypt_padded::<Pkcs7>(&mut body).ok()?;
    Some(clear.to_vec())
}

/// MD5 of the password and the salt, and again with what came of it in front, until there is enough: `EVP_BytesToKey` of OpenSSL.
fn key(password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut last = Vec::new();
    while key.len() < length {
        let digest = Md5::new().chain_update(last).chain_update(password);
        last = digest.chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

/// Whether these bytes are one SEQUENCE of DER and nothing else, as every key is.
fn is_sequence(der: &[u8]) -> bool {
    match *der {
        [0x30, 0x82, high, low, ref rest @ ..] => {
            rest.len() == usize::from(u16::from_be_bytes([high, low]))
        }
        [0x30, 0x81, length, ref rest @ ..] => rest.len() == usize::from(length),
        [0x30, length @ ..=0x7f, ref rest @ ..] => rest.len() == usize::from(length),
        _ => false,
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By `openssl ec -aes128`, with the password `geheim`.
    const KEY: &str = "\
        -----BEGIN EC PRIVATE KEY-----\n\
        Proc-Type: 4,ENCRYPTED\n\
        DEK-Info: AES-128-CBC,643E0E4D21A692CD7E3560AA67257D82\n\
        \n\
        PBJoAfs9YKVUP2TND14QSeDcwD/qCRw6tA6mzgeVvgVXd01I+nsBNQlBvyoW+fr+\n\
        2JUsbQvGBZzS7HkYWgHmqrZhd7nUv0+/oSEnSr3f/NhLWSLfpT0QZmEGQFq8R8H9\n\
        JdhXclZ629HI1PGspsAc79BpeNuy+ZX/cLTAi09SlSU=\n\
        -----END EC PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_opened_by_its_password_alone() {
        let key = OldPem::find(KEY).unwrap();
        let Ok(PrivateKeyDer::Sec1(clear)) = key.open(b"geheim") else {
            panic!("it is not opened");
        };
        assert_eq!(clear.secret_sec1_der().len(), 121);
        assert_eq!(key.open(b"wrong"), Err(Locked::WrongPassword));
        let windows = KEY.replace('\n', "\r\n");
        assert!(OldPem::find(&windows).unwrap().open(b"geheim").is_ok());
        let other = KEY.replace("AES-128-CBC", "CAMELLIA-128-CBC");
        let cipher = Locked::Cipher("CAMELLIA-128-CBC".to_owned());
        assert_eq!(OldPem::find(&other).unwrap().open(b"geheim"), Err(cipher));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n)?(DEK-Info: (DES|AES-128)-CBC,[0-9A-Fé]{0,34}\n\n)?[ -~\né]{0,40}(-----END )?") {
            if let Some(key) = OldPem::find(&text) {
                let _ = key.open(b"password");
            }
        }

        #[test]
        fn a_wrong_password_never_opens_it(password in ".{0,12}") {
            prop_assume!(password != "geheim");
            prop_assert!(OldPem::find(KEY).unwrap().open(password.as_bytes()).is_err());
        }
    }
}
