//! Everything that is not a usable private key is called by its name, with what to do.

use super::made::{self, Kind};
use super::world::{pasted, said};

pub(crate) fn check(what: &str, text: impl AsRef<[u8]>, expected: &str, hint: &str) {
    let text = text.as_ref();
    let error = pasted(text).expect_err(what);
    let said = said(&error);
    assert!(said.contains(expected), "{what}: expected {expected:?} in {said}");
    assert!(said.contains(hint), "{what}: expected the hint {hint:?} in {said}");
}

fn exported(format: &str) -> String {
    let folder = made::folder();
    let path = made::write(folder.path(), "key.pub", &made::key(Kind::Rsa).line);
    let text = made::run("ssh-keygen", &["-e", "-m", format, "-f", made::path_str(&path)]);
    String::from_utf8(text).expect("text")
}

#[test]
fn public_keys_of_every_form_are_named() {
    for kind in made::KINDS {
        check("a .pub line", &made::key(kind).line, "it is a public key", "without .pub");
    }
    let quoted = format!("\"{}\"", made::key(Kind::Ed25519).line.trim());
    check("a quoted line", quoted, "it is a public key", "without .pub");
    use base64ct::{Base64, Encoding as _};
    let wrapped = Base64::encode_string(made::key(Kind::Ed25519).line.as_bytes());
    check("base64 of a line", wrapped, "it is a public key", "without .pub");
    for format in ["RFC4716", "PKCS8", "PEM"] {
        check(format, exported(format), "it is a public key", "without .pub");
    }
    let sk = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t me\n";
    check("a security key's", sk, "it is a public key", "without .pub");
}

#[test]
fn lists_of_public_keys_are_named() {
    let (one, two) = (&made::key(Kind::Ed25519).line, &made::key(Kind::P256).line);
    check("two lines", format!("{one}{two}"), "an authorized_keys file", "~/.ssh/id_ed25519");
    check("options", format!("no-pty {one}"), "an authorized_keys file", "~/.ssh/id_ed25519");
    let command = format!("# c\ncommand=\"a b\" {one}");
    check("a command", command, "an authorized_keys file", "~/.ssh/id_ed25519");
    check("known_hosts", format!("host.example {one}"), "a known_hosts file", "~/.ssh/");
    check("hashed hosts", format!("|1|c2FsdA==|aGFzaA== {one}"), "a known_hosts file", "~/.ssh/");
    check("revoked", format!("@revoked * {one}"), "a known_hosts file", "~/.ssh/");
}

#[test]
fn keys_of_other_tools_are_named() {
    check(
        "PuTTY",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 2\n",
        "a PuTTY key",
        "puttygen key.ppk -O private-openssh -o key",
    );
    let ssh2 = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n";
    check("ssh.com", ssh2, "ssh.com", "ssh-keygen -i");
    check("age", "# public key: age1xyz\nAGE-SECRET-KEY-1QQQQ\n", "age key", "ssh-keygen");
    let age = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n";
    check("an age file", age, "age key", "ssh-keygen");
    let pgp = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdG\n-----END PGP PRIVATE KEY BLOCK-----\n";
    check("PGP", pgp, "PGP (GnuPG) key", "gpg-agent");
}

#[test]
fn x509_and_pkcs12_are_named() {
    let folder = made::folder();
    let key = made::write(folder.path(), "key", made::as_format(Kind::Rsa, "PEM"));
    let key = made::path_str(&key);
    let certificate = made::run("openssl", &["req", "-x509", "-new", "-key", key, "-subj", "/CN=x"]);
    check("a certificate", &certificate, "an X.509 certificate", "ssh-keygen");
    let request = made::run("openssl", &["req", "-new", "-key", key, "-subj", "/CN=x"]);
    check("a request", request, "an X.509 certificate", "ssh-keygen");
    let certificate = made::write(folder.path(), "crt", certificate);
    let pkcs12 = made::run(
        "openssl",
        &["pkcs12", "-export", "-inkey", key, "-in", made::path_str(&certificate), "-passout", "pass:"],
    );
    check("PKCS#12", &pkcs12, "a PKCS#12", "openssl pkcs12");
    use base64ct::{Base64, Encoding as _};
    check("PKCS#12 in base64", Base64::encode_string(&pkcs12), "a PKCS#12", "openssl pkcs12");
    let der = made::run("openssl", &["pkey", "-in", key, "-outform", "DER"]);
    check("DER", &der, "binary (DER) form", "openssl pkey -inform DER");
    let der = Base64::encode_string(&der);
    check("DER in base64", der, "the BEGIN line is missing", "copy the whole file");
}

#[test]
fn keys_that_are_no_use_are_named() {
    // Current ssh-keygen makes none any more, openssl does.
    let dsa = made::run("openssl", &["dsaparam", "-noout", "-genkey", "1024"]);
    let dsa = String::from_utf8(dsa).expect("PEM");
    let traditional = made::openssl(&dsa, &["pkey", "-traditional"]);
    assert!(traditional.contains("BEGIN DSA PRIVATE KEY"));
    check("DSA in PEM", traditional, "a DSA key", "ssh-keygen -t ed25519");
    check("DSA in PKCS#8", made::openssl(&dsa, &["pkey"]), "a DSA key", "ssh-keygen -t");
    check("DSA as OpenSSH has it", container("ssh-dss"), "a DSA key", "ssh-keygen -t ed25519");
    for bits in ["1024", "2047"] {
        let short = made::run("openssl", &["genrsa", bits]);
        check(bits, short, &format!("an RSA key of {bits} bits"), "ssh-keygen -t ed25519");
    }
    for (algorithm, name) in [("ed448", "Ed448"), ("x25519", "X25519"), ("rsa-pss", "RSA-PSS")] {
        let text = made::run("openssl", &["genpkey", "-algorithm", algorithm]);
        check(algorithm, text, name, "use an Ed25519");
    }
    let curve = made::run("openssl", &["ecparam", "-name", "secp256k1", "-genkey", "-noout"]);
    check("secp256k1", curve, "an elliptic curve that SSH does not use", "P-256");
}

#[test]
fn an_rsa_key_past_the_limit_is_named() {
    // Made up: a modulus of 8,193 bits needs minutes to find, and is refused by its length.
    use base64ct::{Base64, Encoding as _};
    let mut inside = vec![2, 1, 0];
    let mut number = vec![1];
    number.resize(1025, 1);
    for bytes in [&number[..], &[1, 0, 1], &number, &number, &number, &number, &number, &number] {
        let length = u16::try_from(bytes.len()).expect("short").to_be_bytes();
        inside.extend_from_slice(&[2, 0x82, length[0], length[1]]);
        if bytes.len() < 128 {
            inside.truncate(inside.len() - 3);
            inside.push(length[1]);
        }
        inside.extend_from_slice(bytes);
    }
    let length = u16::try_from(inside.len()).expect("short").to_be_bytes();
    let der = [&[0x30, 0x82, length[0], length[1]], &inside[..]].concat();
    let body = Base64::encode_string(&der);
    let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n");
    check("8193 bits", text, "an RSA key of 8193 bits", "ssh-keygen -t rsa -b 4096");
}

/// The container of OpenSSH with a public key of this type, as far as that is looked at.
fn container(name: &str) -> String {
    use base64ct::{Base64, Encoding as _};
    let string = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.extend_from_slice(&u32::try_from(bytes.len()).expect("short").to_be_bytes());
        out.extend_from_slice(bytes);
    };
    let mut public = Vec::new();
    string(&mut public, name.as_bytes());
    let mut bytes = b"openssh-key-v1\0".to_vec();
    for part in [&b"none"[..], b"none", b""] {
        string(&mut bytes, part);
    }
    bytes.extend_from_slice(&[0, 0, 0, 1]);
    string(&mut bytes, &public);
    string(&mut bytes, b"");
    let body = Base64::encode_string(&bytes);
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n")
}

#[test]
fn a_security_keys_file_is_named() {
    for name in ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"] {
        let hint = "load it with ssh-add and use agent:";
        check(name, container(name), "a security key (sk-)", hint);
    }
}

#[test]
fn values_that_hold_nothing_are_named() {
    for empty in ["", " ", "\n\r\n", "\"\"", "''", "\u{feff}\n"] {
        check("empty", empty, "it is empty", "check that the secret is set");
    }
    for masked in ["***", "****", "[MASKED]", "xxxx", "\"***\""] {
        check(masked, masked, "it is a mask", "store the key itself");
    }
    let masked = "-----BEGIN OPENSSH PRIVATE KEY-----\n***\n-----END OPENSSH PRIVATE KEY-----";
    check("a masked body", masked, "it is a mask", "store the key itself");
    for variable in ["$SSH_KEY", "${SSH_KEY}", "${{ secrets.SSH_KEY }}", "%SSH_KEY%", "{{ key }}", "$(cat key)"] {
        check(variable, variable, "nobody expanded", "set the value itself");
    }
    for path in ["/builds/x.tmp/SSH_KEY", "~/.ssh/id_rsa", "./key", "C:\\key"] {
        check(path, path, "it is a path", "file:\"$NAME\"");
    }
    for garbage in ["hello", "hello world, this is no key at all", "\u{1}\u{2}\u{3}", "ghp_16C7e42F"] {
        check(garbage, garbage, "no private key, nor anything else", "-----BEGIN");
    }
}
