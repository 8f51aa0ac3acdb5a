//! What we sign is what the real tools verify.

use base64ct::{Base64, Encoding as _};
use valetkey::signer::{RSA_SHA2_256, RSA_SHA2_512, SignError};

use super::made::{self, KINDS, Kind};
use super::world::pasted;

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).expect("short").to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Signs as `ssh-keygen -Y sign` does (PROTOCOL.sshsig), with our signer.
fn sshsig(kind: Kind, flags: u32, message: &[u8]) -> String {
    let identity = pasted(&made::key(kind).text).expect("a key").identities.remove(0);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, message);
    let mut signed = b"SSHSIG".to_vec();
    for part in [&b"test"[..], b"", b"sha512", digest.as_ref()] {
        string(&mut signed, part);
    }
    let signature = identity.signer.sign(&signed, flags).expect("a signature");
    let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
    for part in [&identity.blob[..], b"test", b"", b"sha512", &signature] {
        string(&mut blob, part);
    }
    let base64 = Base64::encode_string(&blob);
    let lines: Vec<_> = base64.as_bytes().chunks(70).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

/// Whether the real ssh-keygen accepts it.
fn verifies(kind: Kind, signature: &str, message: &[u8]) -> bool {
    let folder = made::folder();
    let signers = format!("me {}", made::key(kind).line);
    let signers = made::write(folder.path(), "signers", signers);
    let signature = made::write(folder.path(), "sig", signature);
    let message = made::write(folder.path(), "message", message);
    std::process::Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", "me", "-n", "test", "-f", made::path_str(&signers), "-s"])
        .arg(signature)
        .stdin(std::fs::File::open(message).expect("a message"))
        .output()
        .expect("ssh-keygen is needed for this test")
        .status
        .success()
}

#[test]
fn ssh_keygen_verifies_a_signature_of_every_kind() {
    for kind in KINDS {
        for flags in [RSA_SHA2_256, RSA_SHA2_512, RSA_SHA2_256 | RSA_SHA2_512] {
            let signature = sshsig(kind, flags, b"what was said");
            assert!(verifies(kind, &signature, b"what was said"), "{kind:?} with {flags}");
            // The control: the same signature does not fit other words.
            assert!(!verifies(kind, &signature, b"what was not"), "{kind:?} with {flags}");
        }
    }
}

#[test]
fn ecdsa_signatures_verify_whatever_the_leading_bits_are() {
    // One number in 256 is a byte shorter, and one in two needs a sign byte. Each signature is
    // taken apart and verified in the fixed form that the crypto library has.
    use aws_lc_rs::signature as aws;
    let kinds: [(Kind, usize, &dyn aws::VerificationAlgorithm); 3] = [
        (Kind::P256, 32, &aws::ECDSA_P256_SHA256_FIXED),
        (Kind::P384, 48, &aws::ECDSA_P384_SHA384_FIXED),
        (Kind::P521, 66, &aws::ECDSA_P521_SHA512_FIXED),
    ];
    for (kind, width, algorithm) in kinds {
        let identity = pasted(&made::key(kind).text).expect("a key").identities.remove(0);
        let point = &identity.blob[identity.blob.len() - 2 * width - 1..];
        let public = aws::UnparsedPublicKey::new(algorithm, point);
        for round in 0..600_u32 {
            let message = round.to_be_bytes();
            let blob = identity.signer.sign(&message, 0).expect("a signature");
            let [name, numbers] = strings(&blob)[..] else { panic!("two strings") };
            assert!(name.starts_with(b"ecdsa-sha2-nistp"));
            let [r, s] = strings(numbers)[..] else { panic!("two numbers") };
            let mut fixed = Vec::new();
            for number in [r, s] {
                assert!(number[0] & 0x80 == 0, "an mpint is not negative");
                assert!(number[0] != 0 || number[1] & 0x80 != 0, "an mpint has no spare zeros");
                let digits = number.strip_prefix(&[0]).unwrap_or(number);
                fixed.resize(fixed.len() + width - digits.len(), 0);
                fixed.extend_from_slice(digits);
            }
            public.verify(&message, &fixed).expect("it verifies");
        }
    }
}

fn strings(mut blob: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    while let Some((length, rest)) = blob.split_first_chunk() {
        let (string, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        out.push(string);
        blob = rest;
    }
    out
}

#[test]
fn rsa_follows_the_flags_as_openssh_does_and_never_signs_with_sha1() {
    let identity = pasted(&made::key(Kind::Rsa).text).expect("a key").identities.remove(0);
    for (flags, name) in [
        (RSA_SHA2_256, &b"rsa-sha2-256"[..]),
        (RSA_SHA2_512, b"rsa-sha2-512"),
        (RSA_SHA2_256 | RSA_SHA2_512, b"rsa-sha2-256"),
    ] {
        let blob = identity.signer.sign(b"data", flags).expect("a signature");
        let [algorithm, signature] = strings(&blob)[..] else { panic!("two strings") };
        assert_eq!(algorithm, name);
        assert_eq!(signature.len(), 256, "as long as the modulus");
    }
    assert_eq!(identity.signer.sign(b"data", 0), Err(SignError::Sha1));
}

#[test]
fn flags_that_nobody_knows_are_refused_by_every_kind() {
    for kind in KINDS {
        let identity = pasted(&made::key(kind).text).expect("a key").identities.remove(0);
        for flags in [1, 8, 1 | RSA_SHA2_256, u32::MAX] {
            assert_eq!(identity.signer.sign(b"data", flags), Err(SignError::Flags(flags)));
        }
    }
}

#[test]
fn an_rsa_key_of_3072_and_of_4096_bits_signs() {
    for bits in ["3072", "4096"] {
        let key = made::run("openssl", &["genrsa", "-traditional", bits]);
        let identity = pasted(key).expect("a key").identities.remove(0);
        identity.signer.sign(b"data", RSA_SHA2_512).expect("a signature");
    }
}
