"""Throwaway private keys of every kind, made by the tools that people make them with.

Owns what is planted and what an independent tool says of it: its type, its fingerprint
(ssh-keygen, gpg, openssl), whether it is encrypted. Makes no key that anybody could trust.
"""

import base64
import hashlib
import json
import os
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

PASSPHRASE = "correct horse"
OPENSSL_PASS = "pass:" + PASSPHRASE

# Which Debian package brings a tool.
PACKAGES = {
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
    "puttygen": "putty-tools",
    "gpg": "gnupg",
    "git": "git",
    "zstd": "zstd",
}


@dataclass
class Key:
    """What a finding must say: `fingerprint` is None where nothing but the passphrase tells it,
    `type` is None where the tools have no word for it that is the report's."""

    type: str | None
    fingerprint: str | None
    encrypted: bool = False


@dataclass
class Kind:
    """A file with a private key as its tool writes it."""

    name: str
    data: bytes
    keys: list[Key]
    # Whether it is lines of ASCII.
    text: bool = True
    # What such a file is called.
    file: str = "key.pem"


def run(*command, data=None, env=None):
    """What a tool writes; its own words where it fails."""
    done = subprocess.run(command, input=data, capture_output=True, env=env)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


def der(pem):
    """The bytes in a PEM block."""
    return base64.b64decode(b"".join(line for line in pem.split(b"\n") if line and not line.startswith(b"-")))


def values(sequence):
    """The contents of the values in a DER value, one level deep."""

    def header(data, at):
        length = data[at + 1]
        if length < 0x80:
            return at + 2, length
        size = length & 0x7F
        return at + 2 + size, int.from_bytes(data[at + 2 : at + 2 + size], "big")

    at, length = header(sequence, 0)
    end, out = at + length, []
    while at < end:
        start, length = header(sequence, at)
        out.append(sequence[start : start + length])
        at = start + length
    return out


def tlv(tag, content):
    """A DER value."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Maker:
    """The base keys, and every format that they are written in."""

    def __init__(self, folder):
        self.folder = folder
        self.kinds = []
        self.fingerprints = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def add(self, name, data, *keys, **more):
        self.kinds.append(Kind(name, data, list(keys), **more))

    def plain(self, base):
        return Key(self.types[base], self.fingerprints[base])

    def locked(self, base):
        return Key(self.types[base], self.fingerprints[base], True)

    types = {
        "ed25519": "ssh-ed25519",
        "ed25519-openssl": "ssh-ed25519",
        "rsa2048": "ssh-rsa",
        "rsa3072": "ssh-rsa",
        "p256": "ecdsa-sha2-nistp256",
        "p384": "ecdsa-sha2-nistp384",
        "p521": "ecdsa-sha2-nistp521",
    }

    def make(self):
        # The slow tools run beside one another.
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(self.pgp)]
            bases = [
                pool.submit(run, "ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-C", "", "-f", self.path(name))
                for name, kind, bits in [
                    ("rsa3072", "rsa", "3072"), ("rsa2048", "rsa", "2048"), ("ed25519", "ed25519", "256"),
                    ("p256", "ecdsa", "256"), ("p384", "ecdsa", "384"), ("p521", "ecdsa", "521"),
                ]
            ]
            bases.append(pool.submit(run, "openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path("ed.pem")))
            for base in bases:
                base.result()
            self.tell_fingerprints()
            parts = [self.openssh, self.putty, self.rsa, self.ec, self.edwards, self.small, self.jwk]
            others += [pool.submit(part) for part in parts]
            for other in others:
                other.result()
        self.kinds.sort(key=lambda kind: kind.name)
        return self.kinds

    def tell_fingerprints(self):
        public = run("openssl", "pkey", "-in", self.path("ed.pem"), "-pubout", "-outform", "DER")[-32:]
        blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + public
        with open(self.path("ed25519-openssl.pub"), "w") as file:
            file.write(f"ssh-ed25519 {b64(blob)}\n")
        names = list(self.types)
        with open(self.path("all.pub"), "wb") as file:
            file.write(b"".join(read(self.path(name + ".pub")) for name in names))
        lines = run("ssh-keygen", "-l", "-f", self.path("all.pub")).decode().splitlines()
        self.fingerprints = {name: line.split()[1] for name, line in zip(names, lines, strict=True)}

    def copy(self, base, name):
        path = self.path(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(read(self.path(base)))
        return path

    def openssh(self):
        for base in ["ed25519", "rsa2048", "rsa3072", "p256", "p384", "p521"]:
            self.add(f"openssh-{base}", read(self.path(base)), self.plain(base), file="id_" + base)
        for base, cipher in [("ed25519", "aes256-ctr"), ("rsa2048", "aes256-gcm@openssh.com"), ("p256", "chacha20-poly1305@openssh.com")]:
            path = self.copy(base, f"locked-{base}")
            run("ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-a", "1", "-Z", cipher, "-f", path)
            self.add(f"openssh-{base}-encrypted", read(path), self.locked(base), file="id_" + base)

    def putty(self):
        with open(self.path("passphrase"), "w") as file:
            file.write(PASSPHRASE + "\n")
        for base, version, locked in [("ed25519", 3, False), ("rsa2048", 2, False), ("p256", 3, False), ("rsa2048", 3, True), ("ed25519", 2, True)]:
            name = f"putty-v{version}-{base}" + "-encrypted" * locked
            source = self.copy(base, name + ".in")
            passphrase = ["--new-passphrase", self.path("passphrase")] if locked else []
            run("puttygen", source, "-O", "private", "-o", self.path(name), "--ppk-param", f"version={version},passes=1", *passphrase)
            key = self.locked(base) if locked else self.plain(base)
            self.add(name, read(self.path(name)), key, file="key.ppk")

    def pem(self, base):
        path = self.copy(base, base + ".pem")
        run("ssh-keygen", "-q", "-p", "-P", "", "-N", "", "-m", "PEM", "-f", path)
        return path

    def rsa(self):
        path = self.pem("rsa2048")
        pkcs1, plain = read(path), self.plain("rsa2048")
        self.add("pkcs1-rsa2048", pkcs1, plain)
        self.add("pkcs1-rsa2048-der", der(pkcs1), plain, text=False, file="key.der")
        self.add("pkcs1-rsa3072", read(self.pem("rsa3072")), self.plain("rsa3072"))
        pkcs8 = run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path)
        self.add("pkcs8-rsa2048", pkcs8, plain)
        self.add("pkcs8-rsa2048-der", der(pkcs8), plain, text=False, file="key.der")
        locked = run("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", OPENSSL_PASS, "-in", path)
        unknown = Key("unknown", None, True)
        self.add("pkcs8-rsa2048-encrypted", locked, unknown)
        self.add("pkcs8-rsa2048-encrypted-der", der(locked), unknown, text=False, file="key.der")
        traditional = run("openssl", "rsa", "-traditional", "-aes128", "-passout", OPENSSL_PASS, "-in", path)
        self.add("pkcs1-rsa2048-encrypted", traditional, Key("ssh-rsa", None, True))
        certificate = run("openssl", "req", "-x509", "-new", "-key", path, "-subj", "/CN=throwaway", "-days", "2")
        with open(self.path("certificate"), "wb") as file:
            file.write(certificate)
        store = run("openssl", "pkcs12", "-export", "-inkey", path, "-in", self.path("certificate"), "-passout", OPENSSL_PASS)
        self.add("pkcs12", store, unknown, text=False, file="store.p12")
        self.add("jks", jks(der(pkcs8), der(certificate)), self.locked("rsa2048"), text=False, file="store.jks")
        numbers = values(der(pkcs1))[1:]
        names = ["Modulus", "PublicExponent", "PrivateExponent", "Prime1", "Prime2", "Exponent1", "Exponent2", "Coefficient"]
        lines = ["Private-key-format: v1.3", "Algorithm: 8 (RSASHA256)"]
        lines += [f"{name}: {b64(number.lstrip(bytes(1)))}" for name, number in zip(names, numbers, strict=True)]
        self.add("dnssec-rsa2048", dnssec(lines), plain, file="Kexample.com.+008+12345.private")
        self.rsa_numbers = [number.lstrip(bytes(1)) for number in numbers]
        self.certificate = certificate
        self.public = run("openssl", "pkey", "-in", path, "-pubout")

    def ec(self):
        for base in ["p256", "p384", "p521"]:
            path = self.pem(base)
            sec1, plain = read(path), self.plain(base)
            self.add(f"sec1-{base}", sec1, plain)
            self.add(f"sec1-{base}-der", der(sec1), plain, text=False, file="key.der")
            pkcs8 = run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path)
            self.add(f"pkcs8-{base}", pkcs8, plain)
            if base == "p256":
                self.add("pkcs8-p256-der", der(pkcs8), plain, text=False, file="key.der")
                locked = run("openssl", "ec", "-aes256", "-passout", OPENSSL_PASS, "-in", path)
                self.add("sec1-p256-encrypted", locked, Key("ec", None, True))
                scalar = values(der(sec1))[1]
                lines = ["Private-key-format: v1.3", "Algorithm: 13 (ECDSAP256SHA256)", "PrivateKey: " + b64(scalar)]
                self.add("dnssec-p256", dnssec(lines), plain, file="Kexample.com.+013+12345.private")
        bitcoin = run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
        # RFC 5656 §10.1 names a curve that SSH has no name for by its number.
        point = run("openssl", "pkey", "-pubout", "-outform", "DER", data=bitcoin)[-65:]
        parts = [b"ecdsa-sha2-1.3.132.0.10", b"1.3.132.0.10", point]
        blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
        fingerprint = "SHA256:" + b64(hashlib.sha256(blob).digest()).rstrip("=")
        self.add("pkcs8-secp256k1", bitcoin, Key("secp256k1", fingerprint))

    def edwards(self):
        plain = self.plain("ed25519-openssl")
        pkcs8 = read(self.path("ed.pem"))
        self.add("pkcs8-ed25519", pkcs8, plain)
        self.add("pkcs8-ed25519-der", der(pkcs8), plain, text=False, file="key.der")
        locked = run("openssl", "pkcs8", "-topk8", "-passout", OPENSSL_PASS, "-in", self.path("ed.pem"))
        self.add("pkcs8-ed25519-encrypted", locked, Key("unknown", None, True))
        seed = der(pkcs8)[-32:]
        lines = ["Private-key-format: v1.3", "Algorithm: 15 (ED25519)", "PrivateKey: " + b64(seed)]
        self.add("dnssec-ed25519", dnssec(lines), plain, file="Kexample.com.+015+12345.private")
        exchange = run("openssl", "genpkey", "-algorithm", "x25519")
        self.add("pkcs8-x25519", exchange, Key("x25519", None))

    def small(self):
        """Keys that are 32 bytes: openssl says what their public half is."""
        for kind in ["age", "wireguard"]:
            exchange = run("openssl", "genpkey", "-algorithm", "x25519", "-outform", "DER")
            secret = exchange[-32:]
            public = run("openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER", data=exchange)[-32:]
            if kind == "age":
                identity = bech32("age-secret-key-", secret).upper()
                recipient = bech32("age", public)
                text = f"# created: 2026-01-02T03:04:05Z\n# public key: {recipient}\n{identity}\n"
                self.add("age", text.encode(), Key("age", recipient), file="keys.txt")
            else:
                text = f"[Interface]\nAddress = 10.0.0.2/32\nPrivateKey = {b64(secret)}\n\n[Peer]\nAllowedIPs = 0.0.0.0/0\n"
                self.add("wireguard", text.encode(), Key("wireguard", b64(public)), file="wg0.conf")

    def jwk(self):
        def add(name, members, key):
            text = json.dumps(members, separators=(",", ":"))
            self.add(name, text.encode(), key, file="key.jwk")

        path = self.copy("rsa2048", "jwk-rsa")
        run("ssh-keygen", "-q", "-p", "-P", "", "-N", "", "-m", "PEM", "-f", path)
        numbers = [number.lstrip(bytes(1)) for number in values(der(read(path)))[1:]]
        names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"]
        add("jwk-rsa2048", {"kty": "RSA", "kid": "1", **dict(zip(names, map(b64url, numbers), strict=True))}, self.plain("rsa2048"))
        path = self.copy("p256", "jwk-ec")
        run("ssh-keygen", "-q", "-p", "-P", "", "-N", "", "-m", "PEM", "-f", path)
        _, scalar, _, point = values(der(read(path)))
        point = point[-64:]
        members = {"crv": "P-256", "d": b64url(scalar), "kty": "EC", "x": b64url(point[:32]), "y": b64url(point[32:])}
        add("jwk-p256", members, self.plain("p256"))
        seed = der(read(self.path("ed.pem")))[-32:]
        public = run("openssl", "pkey", "-in", self.path("ed.pem"), "-pubout", "-outform", "DER")[-32:]
        members = {"kty": "OKP", "crv": "Ed25519", "x": b64url(public), "d": b64url(seed), "use": "sig"}
        add("jwk-ed25519", members, self.plain("ed25519-openssl"))

    def pgp(self):
        """Keys of GnuPG, made in a home of their own whose agent is ended."""
        # Short, because the agent's socket lies in it.
        with tempfile.TemporaryDirectory(prefix="gpg") as home:
            env = {**os.environ, "GNUPGHOME": home}
            # As few rounds as there may be: they are not what is tested.
            with open(os.path.join(home, "gpg-agent.conf"), "w") as file:
                file.write("s2k-count 65536\n")
            gpg = ["gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase"]
            curves = "Key-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\n"
            rsa = "Key-Type: rsa\nKey-Length: 2048\n"
            try:
                for name, parameters in [("ed25519", curves), ("rsa2048", rsa), ("ed25519-encrypted", curves)]:
                    locked = name.endswith("-encrypted")
                    protection = f"Passphrase: {PASSPHRASE}\n" if locked else "%no-protection\n"
                    text = f"{parameters}Name-Real: {name}\nExpire-Date: 0\n{protection}%commit\n"
                    run(*gpg, PASSPHRASE if locked else "", "--gen-key", data=text.encode(), env=env)
                    listing = run("gpg", "--batch", "--with-colons", "--list-keys", "=" + name, env=env).decode()
                    prints = [line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:")]
                    keys = [Key(None, print_, locked) for print_ in prints]
                    export = [*gpg, PASSPHRASE if locked else "", "--export-secret-keys"]
                    self.add(f"pgp-{name}", run(*export, "--armor", prints[0], env=env), *keys, file="secret.asc")
                    self.add(f"pgp-{name}-binary", run(*export, prints[0], env=env), *keys, text=False, file="secring.gpg")
                    if not locked:
                        self.pgp_public = run("gpg", "--batch", "--armor", "--export", prints[0], env=env)
            finally:
                subprocess.run(["gpgconf", "--kill", "all"], env=env, capture_output=True)


def dnssec(lines):
    times = ["Created: 20260102030405", "Publish: 20260102030405", "Activate: 20260102030405"]
    return ("\n".join(lines + times) + "\n").encode()


def jks(pkcs8, certificate):
    """A Java keystore of version 2 with one key, as `keytool` of Java 8 and older writes it."""
    password = PASSPHRASE.encode("utf-16-be")
    salt = os.urandom(20)
    digest, stream = salt, b""
    while len(stream) < len(pkcs8):
        digest = hashlib.sha1(password + digest).digest()
        stream += digest
    hidden = bytes(a ^ b for a, b in zip(pkcs8, stream))
    secret = salt + hidden + hashlib.sha1(password + pkcs8).digest()
    # Sun's own algorithm, 1.3.6.1.4.1.42.2.17.1.1.
    algorithm = tlv(0x30, tlv(0x06, bytes.fromhex("2b060104012a02110101")) + b"\x05\x00")
    encrypted = tlv(0x30, algorithm + tlv(0x04, secret))

    def text(value):
        return struct.pack(">H", len(value)) + value

    store = struct.pack(">III", 0xFEEDFEED, 2, 1) + struct.pack(">I", 1) + text(b"mykey") + struct.pack(">Q", 1767322800000)
    store += struct.pack(">I", len(encrypted)) + encrypted
    store += struct.pack(">I", 1) + text(b"X.509") + struct.pack(">I", len(certificate)) + certificate
    return store + hashlib.sha1(password + b"Mighty Aphrodite" + store).digest()


def bech32(name, data):
    """BIP 173."""
    digits, bits, count = [], 0, 0
    for byte in data:
        bits, count = bits << 8 | byte, count + 8
        while count >= 5:
            count -= 5
            digits.append(bits >> count & 31)
    if count:
        digits.append(bits << 5 - count & 31)
    check = 1
    high = [ord(char) >> 5 for char in name] + [0] + [ord(char) & 31 for char in name]
    for digit in high + digits + [0] * 6:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ digit
        for bit, generator in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            check ^= generator if top >> bit & 1 else 0
    check ^= 1
    digits += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return name + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[digit] for digit in digits)
