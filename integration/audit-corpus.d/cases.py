"""Where each key is planted, and what an audit must say of it.

Every kind in every encoding once (those in few formats only as in [`BASIC`]), every placement
with two kinds, and the near misses. Names of cases are `KIND/ENCODING`, `KIND/at/PLACE` and
`near/NAME`.
"""

import base64
import json
import re
import tarfile

import wrapping as e
import gaps
import near
from image import Entry, Image

# Kinds that differ from another one in the size of their numbers, or in one header, have these.
BASIC = ["as-is", "crlf", "json-literal", "base64-64", "base64-inside", "gzip", "elf"]
SAME = {
    "openssh-p256", "openssh-p384", "openssh-p521", "openssh-rsa2048", "openssh-p256-encrypted", "openssh-rsa2048-encrypted",
    "pkcs1-rsa3072", "pkcs8-p256", "pkcs8-p384", "pkcs8-p521", "pkcs8-p256-der", "pkcs8-secp256k1", "pkcs8-x25519",
    "pkcs8-ed25519-encrypted", "sec1-p384", "sec1-p521", "sec1-p384-der", "sec1-p521-der", "sec1-p256-encrypted",
    "putty-v2-ed25519-encrypted", "putty-v3-p256", "putty-v3-rsa2048-encrypted", "dnssec-p256", "dnssec-ed25519",
    "pgp-ed25519-encrypted", "pgp-ed25519-encrypted-binary", "pgp-rsa2048", "pkcs8-rsa2048-encrypted-der", "jwk-p256",
}

# The layers, from the base upwards.
PLAIN, ENCODED, ARCHIVED, PLACED, HIDDEN, HIDING = range(6)

PLACES = {
    "site-packages": b"usr/local/lib/python3.11/site-packages/pkg/data/id_key",
    "dist-packages-tests": b"usr/lib/python3/dist-packages/twisted/conch/test/keydata.bin",
    "node-modules": b"app/node_modules/ssh2/test/fixtures/openssh_new",
    "usr-lib": b"usr/lib/x86_64-linux-gnu/libfoo.so.1.2.3",
    "usr-share-doc": b"usr/share/doc/pkg/examples/server.key.example",
    "test-folder": b"srv/tests/fixtures/dummy_test_key",
    "home": b"root/.ssh/id_ed25519",
    "dot-files": b".cache/.../.x",
    "public-by-name": b"etc/ssl/certs/public.crt",
    "no-name": b"0",
    "spaces": b" opt / a b  c.txt ",
    "line-feed": b"opt/two\nlines",
    "unicode": "opt/schlüssel-鍵-🔑".encode(),
    "not-utf-8": b"opt/k\xff\xfe\xe9y",
    "200-characters": b"opt/" + b"n" * 200,
    "1000-characters": b"opt/" + b"/".join([b"d" * 60] * 16) + b"/key",
    "dot-slash": b"./opt/dot-slash",
    "absolute": b"/opt/absolute",
    "percent-and-quotes": b"opt/%2e\"'`$(id)&<b>",
}


def shown(path):
    """A path as the report has it: without what leads to the root, odd bytes escaped."""
    path = re.sub(rb"^(\./|/)+", b"", path)
    return path.decode("utf-8", "backslashreplace").replace("\n", "\\n")


class Corpus:
    """The image in the making, and the list of what is in it."""

    def __init__(self, maker):
        self.maker = maker
        self.kinds = {kind.name: kind for kind in maker.kinds}
        self.image = Image(layers=[[] for _ in range(6)])
        self.cases = []

    def case(self, name, keys, **place):
        where = {
            "kind": "layer", "layer": None, "path": None, "inner": None, "field": None, "span": None, "hidden_by": None,
            "archived": False, "also": [],
            "forms": ["docker", "oci-gzip", "oci-zstd"],
        }
        keys = [vars(key) for key in keys]
        self.cases.append({"name": name, "keys": keys, "gap": gaps.row(name), **where, **place})

    def file(self, name, keys, layer, path, encoded, **more):
        self.image.layers[layer].append(Entry(path, encoded.data))
        self.case(name, keys, layer=layer, path=shown(path), inner=encoded.inner, span=encoded.span, **more)

    def build(self):
        self.image.layers[PLAIN].append(Entry(b"etc/os-release", b"NAME=corpus\n"))
        self.encoded()
        self.places()
        self.hidden()
        self.odd()
        self.near_misses()
        self.documents()
        return self

    def encoded(self):
        number = 0
        for kind in self.maker.kinds:
            for name, encode in e.of(kind).items():
                if kind.name in SAME and name not in BASIC:
                    continue
                number += 1
                encoded = encode(kind.data)
                encoded.inner = encoded.inner and encoded.inner.format(f"k{number:04}")
                layer = PLAIN if name == "as-is" else ARCHIVED if name in e.ARCHIVES else ENCODED
                path = f"srv/{number // 100}/{encoded.file.format(f'k{number:04}')}"
                self.file(f"{kind.name}/{name}", kind.keys, layer, path.encode(), encoded, archived=name in e.ARCHIVES)
        for name, encode in e.LARGE.items():
            for kind in ["openssh-rsa3072", "pkcs1-rsa2048-der"]:
                kind = self.kinds[kind]
                self.file(f"{kind.name}/{name}", kind.keys, ENCODED, f"srv/large/{kind.name}".encode(), encode(kind.data))

    def pair(self):
        return [self.kinds["openssh-ed25519"], self.kinds["sec1-p256-der"]]

    def places(self):
        for place, path in PLACES.items():
            for number, kind in enumerate(self.pair()):
                self.file(f"{kind.name}/at/{place}", kind.keys, PLACED, path + b"2" * number, e.plain(kind.data))

    def hidden(self):
        """Keys that a later layer takes away again, each in its own manner."""
        ways = {
            "deleted": (b"run/%d/deleted.pem", b"run/%d/.wh.deleted.pem"),
            "overwritten": (b"run/%d/overwritten.pem", b"run/%d/overwritten.pem"),
            "folder-deleted": (b"run/%d/gone/sub/key.pem", b"run/%d/.wh.gone"),
            "folder-opaque": (b"run/%d/opaque/sub/key.pem", b"run/%d/opaque/.wh..wh..opq"),
            "folder-replaced": (b"run/%d/replaced/key.pem", b"run/%d/replaced"),
        }
        for way, (path, hiding) in ways.items():
            for number, kind in enumerate(self.pair()):
                self.file(f"{kind.name}/at/{way}", kind.keys, HIDDEN, path % number, e.plain(kind.data), hidden_by=HIDING)
                data = b"" if b".wh." in hiding else b"nothing\n"
                self.image.layers[HIDING].append(Entry(hiding % number, data))

    def odd(self):
        """Keys in what a layer has beside the content of files."""
        age = self.kinds["age"]
        identity = age.data.split()[-1]
        entries = self.image.layers[PLACED]
        openssh = self.kinds["openssh-ed25519"]
        entries.append(Entry(b"opt/attributes", b"x", pax={"SCHILY.xattr.user.key": openssh.data.decode()}))
        self.case("openssh-ed25519/at/extended-attribute", openssh.keys, layer=PLACED, path="*attributes*")
        name = b"opt/named-" + identity + b".txt"
        entries.append(Entry(name, b"x"))
        self.case("age/at/file-name", age.keys, layer=PLACED, path="*name*")
        wireguard = self.kinds["wireguard"]
        entries.append(Entry(b"opt/original", wireguard.data))
        self.case("wireguard/at/hard-link", wireguard.keys, layer=PLACED, path="opt/original")
        entries.append(Entry(b"opt/linked", type=tarfile.LNKTYPE, target="opt/original"))
        entries.append(Entry(b"opt/pointing", type=tarfile.SYMTYPE, target="original"))

    def near_misses(self):
        for name, data, file in near.all_(self.maker):
            path = f"near/{name}/{file}".encode()
            self.image.layers[PLAIN].append(Entry(path, data))
            self.case(f"near/{name}", [], layer=PLAIN, path=shown(path), also=near.RESIDUE.get(name, []))
            if not near.ALSO_WRAPPED.search(name):
                continue
            for encoding in near.WRAPPED:
                if encoding == "utf16-le" and not data.isascii():
                    continue
                encoded = {**e.ANY, **e.TEXT, **e.ARCHIVES}[encoding](data)
                path = f"near/{name}/{encoding}".encode()
                self.image.layers[PLAIN].append(Entry(path, encoded.data))
                self.case(f"near/{name}/{encoding}", [], layer=PLAIN, path=shown(path))

    def documents(self):
        """The config, its history, annotations and an attestation."""
        oci = ["oci-gzip", "oci-zstd"]
        kinds = [self.kinds["openssh-ed25519"], self.kinds["age"]]
        text = [kind.data.decode() for kind in kinds]
        image = self.image

        def planted(place, kind, number, field, **more):
            self.case(f"{kinds[number].name}/at/{place}", kinds[number].keys, kind=kind, field=field, **more)

        image.config = {
            "Env": ["PATH=/bin", "DEPLOY_KEY=" + text[0], "AGE=" + text[1].split()[-1]],
            "Labels": {"org.example.key": text[0], "b": text[1]},
            "Entrypoint": ["/bin/sh", "-c", f"echo '{text[0]}' | ssh-add -"],
            "Cmd": [text[1].split()[-1]],
            "Healthcheck": {"Test": ["CMD-SHELL", "KEY=" + base64.b64encode(text[0].encode()).decode()]},
            "OnBuild": [f"RUN echo {text[1].split()[-1]} > /k"],
        }
        # What a variable is called says it too.
        variable = ["secret-in-variable"]
        for place, number, field in [
            ("env", 0, "Env.DEPLOY_KEY"), ("env", 1, "Env.AGE"), ("label", 0, "Labels.org.example.key"), ("label", 1, "Labels.b"),
            ("entrypoint", 0, "Entrypoint[2]"), ("cmd", 1, "Cmd[0]"), ("healthcheck", 0, "Healthcheck.Test[1]"), ("onbuild", 1, "OnBuild[0]"),
        ]:
            planted(place, "config", number, field, also=variable * (field == "Env.DEPLOY_KEY"))
        image.history = [(f"COPY {index}", False) for index in range(len(image.layers))]
        one_line = text[0].strip().replace("\n", " ")
        image.history[ARCHIVED] = (f"RUN |1 SSH_PRIVATE_KEY={text[0]} /bin/sh -c make # buildkit", False)
        image.history[PLACED] = (f"RUN |1 AGE={text[1].split()[-1]} /bin/sh -c make # buildkit", False)
        image.history.append((f"ARG KEY={one_line}", True))
        image.history.append((f"ENV KEY={text[1].split()[-1]}", True))
        planted("build-argument", "history", 0, f"history[{ARCHIVED}].created_by", also=variable)
        planted("build-argument", "history", 1, f"history[{PLACED}].created_by")
        planted("argument", "history", 0, "history[6].created_by")
        planted("env-instruction", "history", 1, "history[7].created_by")
        image.annotations = {"org.example.key": text[0], "org.example.age": text[1]}
        planted("annotation", "annotation", 0, "annotations.org.example.key", forms=oci)
        planted("annotation", "annotation", 1, "annotations.org.example.age", forms=oci)
        image.index_annotations = {"org.example.index": text[1]}
        planted("index-annotation", "annotation", 1, "manifests[0].annotations.org.example.index", forms=oci)
        dockerfile = f"FROM scratch\nRUN <<EOF\ncat > /k <<K\n{text[0]}K\nEOF\n"
        infos = [{"filename": "Dockerfile", "data": base64.b64encode(dockerfile.encode()).decode()}]
        image.statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://slsa.dev/provenance/v0.2",
            "subject": [],
            "predicate": {
                "invocation": {"parameters": {"args": {"build-arg:AGE": text[1].split()[-1], "build-arg:KEY": text[0]}}},
                "metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"source": {"infos": infos}}},
            },
        }
        arguments = "predicate.invocation.parameters.args.build-arg:"
        planted("provenance-argument", "attestation", 0, arguments + "KEY", forms=oci)
        planted("provenance-argument", "attestation", 1, arguments + "AGE", forms=oci)
        source = "predicate.metadata.https://mobyproject.org/buildkit@v1#metadata.source.infos[0].data"
        planted("provenance-dockerfile", "attestation", 0, source, forms=oci)


def secrets(kinds):
    """Pieces of the secrets, none of which may be in a report."""
    known = {key.fingerprint for kind in kinds for key in kind.keys}
    for kind in kinds:
        if not kind.text:
            continue
        text = kind.data.decode()
        if kind.name.startswith("jwk"):
            yield json.loads(text)["d"][:40]
            continue
        for piece in re.findall(r"[A-Za-z0-9+/=_-]{40,}", text):
            if piece not in known and "-----" not in piece:
                yield piece[:40]
