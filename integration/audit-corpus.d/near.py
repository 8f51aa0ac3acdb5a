"""What looks like a key or a secret and is none: an audit must say nothing of it.

Owns the near misses. Each is a name, the bytes, and what the file is called.
"""

import base64
import json
import random
import re

import keys as k

LABELS = ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def block(label, body):
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def lines(data, width=64):
    text = base64.b64encode(data).decode()
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def public_halves(maker):
    """What keys are known by, in every form: the private half is not there."""
    ssh = b"".join(k.read(maker.path(base + ".pub")) for base in maker.types)
    yield "ssh-public-keys", ssh, "root/.ssh/authorized_keys"
    yield "known-hosts", b"".join(b"example.com " + line + b"\n" for line in ssh.splitlines()), "etc/ssh/ssh_known_hosts"
    yield "public-key-pem", maker.public, "public.pem"
    yield "public-key-der", k.der(maker.public), "public.der"
    yield "certificate", maker.certificate, "ca.crt"
    yield "certificate-bundle", maker.certificate * 40, "ca-certificates.crt"
    yield "certificate-der", k.der(maker.certificate), "ca.der"
    yield "pgp-public-key", maker.pgp_public, "release.asc"
    body = b"".join(line for line in maker.pgp_public.splitlines()[2:-2])
    yield "pgp-public-key-binary", base64.b64decode(body), "release.gpg"
    public = {"kty": "RSA", "n": k.b64url(maker.rsa_numbers[0]), "e": "AQAB", "alg": "RS256", "use": "sig"}
    point = {"kty": "EC", "crv": "P-256", "x": k.b64url(bytes(range(32))), "y": k.b64url(bytes(range(32, 64)))}
    yield "jwks-public", json.dumps({"keys": [public, point]}, indent=2).encode(), "jwks.json"
    yield "age-recipient", k.bech32("age", random.Random(5).randbytes(32)).encode() + b"\n", "recipients.txt"
    peer = k.b64(random.Random(6).randbytes(32))
    yield "wireguard-peer", f"[Peer]\nPublicKey = {peer}\nPresharedKey = {peer}\nAllowedIPs = 0.0.0.0/0\n".encode(), "peer.conf"
    yield "dnssec-public", f"example.com. IN DNSKEY 257 3 8 {k.b64(maker.rsa_numbers[0])}\n".encode(), "Kexample.com.+008+1.key"
    store = b"\xfe\xed\xfe\xed" + bytes([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 2]) + b"ca" + bytes(8) + b"\0\x05X.509"
    certificate = k.der(maker.certificate)
    yield "java-truststore", store + len(certificate).to_bytes(4, "big") + certificate + random.Random(7).randbytes(20), "cacerts"


def placeholders():
    """Where a key could be, and none is."""
    for label in LABELS:
        name = label.lower().replace(" ", "-")
        yield f"placeholder-dots-{name}", block(label, "MIIEowIBAAKCAQEA...\n...\n..."), "README.md"
        yield f"placeholder-words-{name}", block(label, "YOUR_PRIVATE_KEY_GOES_HERE"), "config.example"
        yield f"empty-{name}", block(label, ""), "empty.pem"
        yield f"random-{name}", block(label, lines(random.Random(label).randbytes(1191))), "fake.pem"
        yield f"zeros-{name}", block(label, lines(bytes(1191))), "zeros.pem"
    headers = b"\0".join(f"-----BEGIN {label}-----\0-----END {label}-----".encode() for label in LABELS)
    program = b"\x7fELF" + random.Random(8).randbytes(4000) + headers + random.Random(9).randbytes(4000)
    yield "headers-in-a-program", program, "usr/lib/libssl.so.3"
    code = "".join(f"    if text.startswith('-----BEGIN {label}-----'):\n        return {n}\n" for n, label in enumerate(LABELS))
    yield "headers-in-source", code.encode(), "site-packages/pem.py"
    yield "magic-alone", b"x" * 99 + b"openssh-key-v1\0" + random.Random(10).randbytes(500), "usr/bin/ssh"
    yield "putty-header-alone", b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n", "x.ppk"
    yield "putty-headers-in-a-program", b"PuTTY-User-Key-File-\0PuTTY-User-Key-File-2: \0Private-MAC: \0", "usr/bin/puttygen"
    yield "age-placeholder", b"AGE-SECRET-KEY-1" + b"X" * 58 + b"\n", "keys.example"
    yield "age-wrong-checksum", b"AGE-SECRET-KEY-1" + b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2 + b"\n", "keys.txt"
    yield "wireguard-placeholder", b"[Interface]\nPrivateKey = <insert the private key here>\n", "wg0.conf.example"
    yield "wireguard-zeros", b"[Interface]\nPrivateKey = " + b"A" * 43 + b"=\n", "wg0.conf"
    yield "jwk-placeholder", b'{"kty":"RSA","n":"...","e":"AQAB","d":"..."}', "jwk.example"


def halves(maker):
    """Each kind cut off in the middle of its secret, with and without an end put behind."""
    for kind in maker.kinds:
        half = kind.data[: len(kind.data) // 2]
        # Where the secret is not whole yet: it is not in the middle of these.
        if kind.name.startswith("pgp-ed25519"):
            half = kind.data[: 100 if kind.text else 70]
        if kind.name.startswith("jwk"):
            half = kind.data[: kind.data.index(b'"d"') + 30]
        if kind.name == "wireguard":
            half = kind.data[: kind.data.index(b"PrivateKey") + 30]
        if kind.name == "age":
            half = kind.data[:-20]
        yield f"half-{kind.name}", half, "half-" + kind.file
        label = re.match(rb"-----BEGIN ([A-Z ]+)-----", half)
        if label:
            yield f"half-ended-{kind.name}", half + b"\n-----END " + label[1] + b"-----\n", "cut-" + kind.file


def damaged(maker):
    """One bit of a secret number turned: it is no key of anything."""
    by_name = {kind.name: kind for kind in maker.kinds}
    for name, behind in [("pkcs1-rsa2048-der", maker.rsa_numbers[3]), ("pkcs8-rsa2048-der", maker.rsa_numbers[3])]:
        data = bytearray(by_name[name].data)
        data[data.index(behind) + 40] ^= 4
        yield f"damaged-{name}", bytes(data), "damaged.der"
    ssh = k.der(by_name["openssh-ed25519"].data)
    # Seed and public key follow one another; the public key is there three times.
    public = ssh.rindex(ssh[ssh.index(b"ssh-ed25519") + 15 :][:32])
    data = bytearray(ssh)
    data[public - 10] ^= 4
    yield "damaged-openssh-ed25519", block("OPENSSH PRIVATE KEY", lines(bytes(data), 70)), "damaged"
    sec1 = bytearray(by_name["sec1-p256-der"].data)
    sec1[20] ^= 4
    yield "damaged-sec1-p256", block("EC PRIVATE KEY", lines(bytes(sec1))), "damaged.pem"


def ordinary():
    """Files that every image has, full of what looks random."""
    some = random.Random(11)
    integrity = {f"node_modules/p{n}": {"version": "1.0.0", "integrity": "sha512-" + k.b64(some.randbytes(64))} for n in range(200)}
    yield "package-lock", json.dumps({"packages": integrity}, indent=2).encode(), "app/package-lock.json"
    yield "git-object-ids", "".join(f"{some.randbytes(20).hex()} refs/tags/v{n}\n" for n in range(200)).encode(), ".git/packed-refs"
    yield "go-sum", "".join(f"example.com/m{n} v1.0.0 h1:{k.b64(some.randbytes(32))}\n" for n in range(200)).encode(), "go.sum"
    hashes = "".join(f'    {{file = "p{n}.whl", hash = "sha256:{some.randbytes(32).hex()}"}},\n' for n in range(200))
    yield "poetry-lock", hashes.encode(), "poetry.lock"
    yield "sha256sums", "".join(f"{some.randbytes(32).hex()}  file{n}\n" for n in range(300)).encode(), "SHA256SUMS"
    yield "random-base64-of-32-bytes", "".join(f"value{n}: {k.b64(some.randbytes(32))}\n" for n in range(100)).encode(), "values.yaml"
    yield "random-hex-of-32-bytes", "".join(f"value{n}={some.randbytes(32).hex()}\n" for n in range(100)).encode(), "values.env"
    yield "uuids", "".join(f"{some.randbytes(4).hex()}-4{some.randbytes(4).hex()}\n" for n in range(100)).encode(), "uuids.txt"
    yield "random-bytes", some.randbytes(200_000), "usr/share/random.bin"
    yield "random-base64-wrapped", lines(some.randbytes(60_000), 76).encode(), "mail.eml"
    yield "random-data-uri", b"body{background:url(data:image/png;base64," + base64.b64encode(some.randbytes(30_000)) + b")}", "app.css"
    rows = [", ".join(f"0x{byte:02x}" for byte in some.randbytes(12)) for _ in range(400)]
    yield "random-c-array", ("const unsigned char table[] = {\n  " + ",\n  ".join(rows) + "\n};\n").encode(), "table.h"
    yield "zeros", bytes(100_000), "zeros.bin"
    words = ["function", "return", "var", "this", "key", "private", "kty", "PrivateKey", "e", "t", "n"]
    script = "".join(f"{some.choice(words)}({some.choice(words)},{some.randrange(9999)});" for _ in range(9000))
    yield "minified-js", script.encode(), "dist/app.min.js"
    source_map = {"version": 3, "mappings": "".join(some.choice(DIGITS + ",;") for _ in range(40_000))}
    yield "source-map", json.dumps(source_map).encode(), "dist/app.js.map"
    yield "npmrc-variable", b"//registry.example.com/:_authToken=${NPM_TOKEN}\nalways-auth=true\n", "app/.npmrc"
    yield "docker-config-without-secret", b'{"credsStore": "desktop", "auths": {"registry.example.com": {}}}\n', "root/.docker/config.json"
    yield "git-config-without-secret", b'[remote "origin"]\n\turl = https://example.com/org/repo.git\n', "app/.git/config"
    yield "pip-conf-without-secret", b"[global]\nindex-url = https://pypi.example.com/simple\n", "etc/pip.conf"
    yield "ssh-config", b"Host example.com\n  IdentityFile ~/.ssh/id_ed25519\n  User git\n", "etc/ssh/ssh_config"


def all_(maker):
    for part in [public_halves(maker), placeholders(), halves(maker), damaged(maker), ordinary()]:
        yield from part


# Encodings that some of them are wrapped in too.
WRAPPED = ["base64-76-crlf", "hex", "utf16-le", "gzip", "zip"]
ALSO_WRAPPED = re.compile("public|certificate$|placeholder-|random-(rsa|openssh)|headers-in-source|half-(pkcs1|openssh|putty|age|jwk)|damaged")

# Rules that may name some of them, as notes: no key, but what a recipe leaves behind.
RESIDUE = {"known-hosts": ["known-hosts"]}
