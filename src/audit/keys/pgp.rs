//! OpenPGP secret keys (RFC 9580 §5.5.3, versions 4 and 6), as packets.
//!
//! Owns packet headers, the public numbers, and what protects the secret ones. Refuses partial
//! lengths, and GnuPG's stubs of keys that lie elsewhere (on a card, or nowhere).

use super::seen::{Public, Seen, looks_random};
use super::{curve, rsa};

/// The most bytes of one secret key packet: an RSA-16384 key has 8 KiB.
const MAX_PACKET: usize = 16 * 1024;
/// The most packets of a keyring that are looked at.
const MAX_PACKETS: usize = 1_000;
/// The first second of 1991, when PGP began: what is searched for in binaries is not older.
const OLDEST: u32 = 0x2780_0000;
/// Sizes of RSA keys that are searched for in binaries, in bits.
const RSA_SIZES: [usize; 8] = [1024, 1536, 2048, 3072, 4096, 6144, 7680, 8192];
/// Bytes between the start of a packet's body and its algorithm: version and time.
const BEFORE_ALGORITHM: usize = 5;

/// What a binary key of an elliptic curve is found by: algorithm, and OID with its length.
pub(super) const CURVES: [&[u8]; 5] = [
    b"\x16\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01",
    b"\x12\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01",
    b"\x13\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    b"\x12\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    b"\x13\x05\x2b\x81\x04\x00\x22",
];
/// What a binary RSA key is found by: the exponent 65537 as an MPI.
pub(super) const EXPONENT: &[u8] = b"\x00\x11\x01\x00\x01";

const SECRET_KEY: u8 = 5;
const SECRET_SUBKEY: u8 = 7;

/// The key of an elliptic curve whose algorithm is at `at`, and where its packet begins.
pub(super) fn around_curve(bytes: &[u8], at: usize) -> Option<(Seen, usize)> {
    searched(bytes, at.checked_sub(BEFORE_ALGORITHM)?)
}

/// The RSA key whose [`EXPONENT`] is at `at`, and where its packet begins.
pub(super) fn around_exponent(bytes: &[u8], at: usize) -> Option<(Seen, usize)> {
    RSA_SIZES.iter().find_map(|bits| {
        let modulus = at.checked_sub(bits / 8 + 2)?;
        let size = u16::try_from(*bits).ok()?.to_be_bytes();
        if bytes.get(modulus..modulus + 2)? != size || !(1..=3).contains(bytes.get(modulus.checked_sub(1)?)?) {
            return None;
        }
        searched(bytes, modulus.checked_sub(1 + BEFORE_ALGORITHM)?)
    })
}

/// The packet whose body is at `body`, whatever form its header has.
fn searched(bytes: &[u8], body: usize) -> Option<(Seen, usize)> {
    let time = u32::from_be_bytes(*bytes.get(body + 1..)?.first_chunk()?);
    if time < OLDEST || bytes[body] != 4 {
        return None;
    }
    [2, 3, 5, 6].iter().find_map(|header| {
        let start = body.checked_sub(*header)?;
        let packet = Packet::read(&bytes[start..])?;
        let own = packet.length - packet.body.len() == *header;
        own.then(|| packet.seen()).flatten().map(|seen| (seen, start))
    })
}

/// All secret keys of the packets at the front of `bytes`, as far as these are whole, and where
/// each begins.
pub(super) fn keyring(bytes: &[u8]) -> Vec<(Seen, usize)> {
    let mut all = Vec::new();
    let mut rest = bytes;
    for _ in 0..MAX_PACKETS {
        let Some(packet) = Packet::read(rest) else { break };
        all.extend(packet.seen().map(|seen| (seen, bytes.len() - rest.len())));
        rest = &rest[packet.length..];
    }
    all
}

/// Whether a secret key packet may begin here.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    let body = match bytes {
        [0x94 | 0xc5, _, rest @ ..] | [0x95, _, _, rest @ ..] => rest,
        _ => return false,
    };
    matches!(body.first(), Some(4 | 6)) || bytes[0] == 0xc5 && matches!(bytes.get(3), Some(4 | 6))
}

struct Packet<'a> {
    tag: u8,
    body: &'a [u8],
    length: usize,
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (tag, length, rest) = match (first, rest) {
            (0x80..=0xbf, rest) => {
                let (digits, rest) = match first & 3 {
                    3 => return None,
                    size => rest.split_at_checked(1 << size)?,
                };
                (first >> 2 & 0xf, number(digits), rest)
            }
            (0xc0.., [length @ 0..=191, rest @ ..]) => (first & 0x3f, usize::from(*length), rest),
            (0xc0.., [high @ 192..=223, low, rest @ ..]) => {
                (first & 0x3f, ((usize::from(*high) - 192) << 8) + usize::from(*low) + 192, rest)
            }
            (0xc0.., [255, rest @ ..]) => {
                let (digits, rest) = rest.split_at_checked(4)?;
                (first & 0x3f, number(digits), rest)
            }
            _ => return None,
        };
        let body = rest.get(..length)?;
        Some(Self { tag, body, length: bytes.len() - rest.len() + length })
    }

    fn seen(&self) -> Option<Seen> {
        if !matches!(self.tag, SECRET_KEY | SECRET_SUBKEY) || self.body.len() > MAX_PACKET {
            return None;
        }
        let mut reader = Reader(self.body);
        let version = reader.byte()?;
        reader.take(4)?;
        let algorithm = reader.byte()?;
        let material = match version {
            4 => None,
            6 => Some(u32::from_be_bytes(*reader.take(4)?.first_chunk()?) as usize),
            _ => return None,
        };
        let before = reader.0.len();
        let numbers = Numbers::read(algorithm, &mut reader)?;
        if material.is_some_and(|material| material != before - reader.0.len()) {
            return None;
        }
        let public = &self.body[..self.body.len() - reader.0.len()];
        let encrypted = protected(version, &numbers, reader)?;
        let public = Public { kind: numbers.kind, fingerprint: Some(fingerprint(version, public)?) };
        let format = if self.tag == SECRET_KEY { "OpenPGP format" } else { "OpenPGP format (a subkey)" };
        Some(public.seen("pgp-secret-key", format, encrypted, self.length))
    }
}

/// RFC 9580 §5.5.4.
fn fingerprint(version: u8, public: &[u8]) -> Option<String> {
    use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
    let mut digest = Context::new(if version == 4 { &SHA1_FOR_LEGACY_USE_ONLY } else { &SHA256 });
    if version == 4 {
        digest.update(&[0x99]);
        digest.update(&u16::try_from(public.len()).ok()?.to_be_bytes());
    } else {
        digest.update(&[0x9b]);
        digest.update(&u32::try_from(public.len()).ok()?.to_be_bytes());
    }
    digest.update(public);
    Some(digest.finish().as_ref().iter().map(|byte| format!("{byte:02X}")).collect())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// RFC 9580 §3.2: the bits are counted exactly.
    fn mpi(&mut self) -> Option<&'a [u8]> {
        let bits = usize::from(u16::from_be_bytes(*self.take(2)?.first_chunk()?));
        let number = self.take(bits.div_ceil(8))?;
        // Numbers that are strings of bytes keep the bits that they would have.
        (super::number::bits(number) == bits).then_some(number)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let count = self.byte()?;
        self.take(usize::from(count))
    }
}

/// The public numbers of a key, and how its secret ones are written.
struct Numbers<'a> {
    kind: String,
    secret: Form,
    /// For the check that they belong together.
    rsa: Option<(&'a [u8], &'a [u8])>,
    ed25519: Option<&'a [u8]>,
}

/// How the secret numbers are written.
enum Form {
    Mpis(usize),
    Bytes(usize),
}

impl<'a> Numbers<'a> {
    fn read(algorithm: u8, reader: &mut Reader<'a>) -> Option<Self> {
        let plain = |kind: String, secret| Self { kind, secret, rsa: None, ed25519: None };
        Some(match algorithm {
            1..=3 => {
                let (n, e) = (reader.mpi()?, reader.mpi()?);
                let kind = format!("rsa{}", super::number::bits(n));
                (super::number::odd(n) && super::number::odd(e) && super::number::bits(n) >= rsa::MIN_BITS)
                    .then(|| Self { rsa: Some((n, e)), ..plain(kind, Form::Mpis(4)) })?
            }
            16 | 20 => {
                let [p, _, _] = [reader.mpi()?, reader.mpi()?, reader.mpi()?];
                plain(format!("elg{}", super::number::bits(p)), Form::Mpis(1))
            }
            17 => {
                let [p, _, _, _] = [reader.mpi()?, reader.mpi()?, reader.mpi()?, reader.mpi()?];
                plain(format!("dsa{}", super::number::bits(p)), Form::Mpis(1))
            }
            18 | 19 | 22 => {
                let (name, width) = named(reader.counted()?)?;
                let point = reader.mpi()?;
                // Uncompressed, or in the native form of the curve.
                let fits = match point.first()? {
                    4 => point.len() == 1 + 2 * width,
                    0x40 => point.len() == 1 + width,
                    _ => false,
                };
                if !fits || algorithm == 18 && reader.counted()?.len() != 3 {
                    return None;
                }
                let ed25519 = (name == "ed25519").then(|| &point[1..]);
                Self { ed25519, ..plain(name.to_owned(), Form::Mpis(1)) }
            }
            25 => Self::native("x25519", 32, reader)?,
            26 => Self::native("x448", 56, reader)?,
            27 => Self::native("ed25519", 32, reader)?,
            28 => Self::native("ed448", 57, reader)?,
            _ => return None,
        })
    }

    fn native(kind: &str, width: usize, reader: &mut Reader<'a>) -> Option<Self> {
        let point = reader.take(width)?;
        let ed25519 = (kind == "ed25519").then_some(point);
        Some(Self { kind: kind.to_owned(), secret: Form::Bytes(width), rsa: None, ed25519 })
    }

    /// Whether the open secret numbers are those of the public ones, and end where they should.
    fn belong(&self, secret: &mut Reader<'_>) -> Option<()> {
        let mut numbers = Vec::new();
        match self.secret {
            Form::Mpis(count) => {
                for _ in 0..count {
                    numbers.push(secret.mpi()?);
                }
            }
            Form::Bytes(count) => numbers.push(secret.take(count)?),
        }
        if let (Some((n, e)), [d, p, q, _]) = (self.rsa, numbers.as_slice()) {
            rsa::public(n, e, d, &[p, q])?;
        }
        if let (Some(point), [digits]) = (self.ed25519, numbers.as_slice()) {
            let mut seed = zeroize::Zeroizing::new([0; 32]);
            let zeros = seed.len().checked_sub(digits.len())?;
            seed[zeros..].copy_from_slice(digits);
            curve::ed25519(&*seed, Some(point), false)?;
        }
        Some(())
    }
}

/// The curve of that OID, and the bytes of a coordinate (RFC 9580 §9.2).
fn named(oid: &[u8]) -> Option<(&'static str, usize)> {
    Some(match oid {
        b"\x2b\x06\x01\x04\x01\xda\x47\x0f\x01" => ("ed25519", 32),
        b"\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01" => ("cv25519", 32),
        b"\x2a\x86\x48\xce\x3d\x03\x01\x07" => ("nistp256", 32),
        b"\x2b\x81\x04\x00\x22" => ("nistp384", 48),
        b"\x2b\x81\x04\x00\x23" => ("nistp521", 66),
        b"\x2b\x81\x04\x00\x0a" => ("secp256k1", 32),
        b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07" => ("brainpoolP256r1", 32),
        b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b" => ("brainpoolP384r1", 48),
        b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d" => ("brainpoolP512r1", 64),
        _ => return None,
    })
}

/// Whether a passphrase protects the secret numbers; nothing if there are none, or not whole.
fn protected(version: u8, numbers: &Numbers<'_>, mut reader: Reader<'_>) -> Option<bool> {
    let usage = reader.byte()?;
    if usage == 0 {
        let all = reader.0;
        numbers.belong(&mut reader)?;
        let secret = &all[..all.len() - reader.0.len()];
        let sum = secret.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        let whole = if version == 4 { reader.0 == sum.to_be_bytes() } else { reader.0.is_empty() };
        return whole.then_some(false);
    }
    if version == 6 {
        // The length of what follows up to the secret numbers.
        reader.byte()?;
    }
    let (cipher, aead) = match usage {
        253 => (reader.byte()?, Some(reader.byte()?)),
        254 | 255 => (reader.byte()?, None),
        cipher => (cipher, None),
    };
    if usage >= 253 {
        if version == 6 {
            reader.byte()?;
        }
        specifier(&mut reader)?;
    }
    let nonce = match (cipher, aead) {
        (1..=4 | 7..=13, Some(1)) => 16,
        (1..=4 | 7..=13, Some(2)) => 15,
        (1..=4 | 7..=13, Some(3)) => 12,
        (1..=4, None) => 8,
        (7..=13, None) => 16,
        _ => return None,
    };
    reader.take(nonce)?;
    // The secret of a curve and a checksum, or as many numbers as RSA has.
    let least = match numbers.rsa {
        Some((n, _)) => n.len() * 2,
        None => 20,
    };
    (reader.0.len() >= least && looks_random(&reader.0[..20])).then_some(true)
}

/// A string-to-key specifier (RFC 9580 §3.7.1). GnuPG's type 101 says that there is no key.
fn specifier(reader: &mut Reader<'_>) -> Option<()> {
    let kind = reader.byte()?;
    let length = match kind {
        0 => 1,
        1 => 9,
        3 => 10,
        4 => 19,
        _ => return None,
    };
    let rest = reader.take(length)?;
    (kind == 4 || matches!(rest[0], 1..=3 | 8..=14)).then_some(())
}
