//! What stands inside of armour: headers, then base64 of one of the formats.

use zeroize::Zeroizing;

use super::armour::{self, Armour};
use super::seen::{Public, Seen, UNKNOWN};
use super::{asn1, base64, openssh, pgp};

/// The fewest bytes of a traditional encrypted key: an EC key has 64 and more.
const MIN_ENCRYPTED: usize = 48;

/// The keys of the block whose `-----BEGIN` is at `at`.
pub(super) fn at(bytes: &[u8], at: usize) -> Vec<Seen> {
    let Some(block) = armour::at(bytes, at) else { return Vec::new() };
    let body = Body::read(&block.inside);
    let mut all: Vec<Seen> = match block.label.as_str() {
        "PGPPRIVATEKEYBLOCK" => pgp::keyring(&body.bytes).into_iter().map(|(seen, _)| seen).collect(),
        "OPENSSHPRIVATEKEY" => openssh::container(&body.bytes).into_iter().collect(),
        _ if body.encrypted => traditional(&block, &body).into_iter().collect(),
        _ => {
            let der = asn1::key(&body.bytes, false);
            der.or_else(|| openssh::container(&body.bytes)).into_iter().collect()
        }
    };
    for seen in &mut all {
        let stored = &body.bytes[..seen.length.min(body.bytes.len())];
        *seen = Seen { length: block.length, ..seen.clone().stored_as(stored) };
    }
    all
}

/// `Proc-Type: 4,ENCRYPTED`: nothing of it can be parsed, so that all around it must be whole.
fn traditional(block: &Armour, body: &Body) -> Option<Seen> {
    let (cipher, iv) = body.dek_info.as_deref()?.split_once(',')?;
    let size = match cipher {
        "AES-128-CBC" | "AES-192-CBC" | "AES-256-CBC" => 16,
        _ if cipher.starts_with("CAMELLIA-") || cipher.starts_with("ARIA-") || cipher == "SEED-CBC" => 16,
        "DES-EDE3-CBC" | "DES-CBC" | "BF-CBC" | "RC2-CBC" | "IDEA-CBC" => 8,
        _ => return None,
    };
    let iv = iv.len() == 2 * size && iv.bytes().all(|byte| byte.is_ascii_hexdigit());
    let random = super::seen::looks_random(body.bytes.get(..MIN_ENCRYPTED)?);
    if !(iv && random && block.ended && body.whole && body.bytes.len().is_multiple_of(size)) {
        return None;
    }
    let (rule, kind) = match block.label.as_str() {
        "RSAPRIVATEKEY" => ("pkcs1-private-key", "ssh-rsa"),
        "DSAPRIVATEKEY" => ("dsa-private-key", "ssh-dss"),
        "ECPRIVATEKEY" => ("sec1-private-key", "ec"),
        _ => ("pkcs8-private-key", UNKNOWN),
    };
    Some(Public::named(kind).seen(rule, "traditional PEM", true, body.bytes.len()))
}

/// The headers that matter, and the decoded bytes.
struct Body {
    encrypted: bool,
    dek_info: Option<String>,
    bytes: Zeroizing<Vec<u8>>,
    /// Whether there is nothing but base64 in it.
    whole: bool,
}

impl Body {
    fn read(inside: &[u8]) -> Self {
        let mut body = Self { encrypted: false, dek_info: None, bytes: Zeroizing::default(), whole: false };
        let mut rest = inside.trim_ascii_start();
        // A header has a colon, which base64 has not.
        while let Some(line) = rest.split(|byte| *byte == b'\n').next() {
            if line.is_empty() || !line.contains(&b':') {
                break;
            }
            let mut behind = line.len();
            if let Some(at) = memchr::memmem::find(line, b"DEK-Info:") {
                let value = line[at + b"DEK-Info:".len()..].trim_ascii_start();
                let length = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
                body.dek_info = Some(String::from_utf8_lossy(&value[..length]).into_owned());
                // All on one line: the body follows the value.
                behind = line.len() - (value.len() - length);
            }
            body.encrypted |= memchr::memmem::find(line, b"4,ENCRYPTED").is_some();
            rest = rest[behind..].trim_ascii_start();
        }
        body.bytes = base64::decode(rest);
        let digits = rest.iter().filter(|byte| !byte.is_ascii_whitespace());
        body.whole = digits.clone().all(|byte| base64::is_digit(*byte) || *byte == b'=') && digits.count() % 4 == 0;
        body
    }
}
