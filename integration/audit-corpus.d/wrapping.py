"""The encodings that a key is wrapped in, each a function from the bytes of the key file.

Owns where in the result the planted bytes are (`span`), and what the file is called inside of
archives (`inner`, its end). Makes everything by hand or with the standard library: no tool is
asked, so that the corpus is the same everywhere.
"""

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import marshal
import os
import random
import sqlite3
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass


@dataclass
class Encoded:
    """A file with a key in it."""

    data: bytes
    # Where the planted bytes are in the innermost file; None where that cannot be said.
    span: tuple[int, int] | None = None
    # The end of the path inside of archives; None for no archive or one without names.
    inner: str | None = None
    # What the file is called; `{}` stands for the case's own name.
    file: str = "{}.dat"


def around(data, before=b"", behind=b"", **more):
    return Encoded(before + data + behind, (len(before), len(before) + len(data)), **more)


def noise(size, seed):
    """Bytes as of a program: the same in each run."""
    return random.Random(seed).randbytes(size)


# Of lines of ASCII alone.


def crlf(data):
    return around(data.replace(b"\n", b"\r\n"))


def indented(data):
    lines = b"".join(b"    " + line + b"\n" for line in data.splitlines())
    return around(lines, b"spec:\n  key: |\n", b"  other: 1\n")


def one_line(data):
    return around(data.strip().replace(b"\n", b" "), b"key ", b"\n")


def literal_json(data):
    text = json.dumps(data.decode()).encode()
    return around(text, b'{"name": "deploy", "private_key": ', b', "port": 22}')


def literal_yaml(data):
    text = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return around(text, b'deploy:\n  key: "', b'"\n  port: 22\n')


def literal_env(data):
    return around(data.replace(b"\n", b"\\n"), b"PORT=22\nDEPLOY_KEY='", b"'\nHOME=/\n")


def escaped_some(data):
    """As encoders that fear HTML and scripts write it."""
    return escaped(data, b"+/=<>&'\"\\\n\r")


def escaped_marks(data):
    return escaped(data, bytes(c for c in range(128) if not chr(c).isalnum()))


def escaped(data, which):
    text = "".join(f"\\u{c:04x}" if c in which else chr(c) for c in data)
    return around(text.encode(), b'{"key": "', b'"}')


def escaped_all(data):
    return around("".join(f"\\u{c:04X}" for c in data).encode(), b'{"key": "', b'"}')


def utf16_le(data):
    return around(data.decode().encode("utf-16-le"), b"\xff\xfe")


def utf16_be(data):
    return around(data.decode().encode("utf-16-be"), b"\xfe\xff")


def utf16_odd(data):
    """In a program of Windows: no mark, at an odd offset."""
    return around(data.decode().encode("utf-16-le"), noise(1001, 1), noise(77, 2))


# Of anything.


def plain(data):
    return around(data)


def wrapped(data, width):
    text = base64.b64encode(data)
    if width:
        text = b"\n".join(text[at : at + width] for at in range(0, len(text), width))
    return text


def base64_none(data):
    return around(wrapped(data, 0), b"apiVersion: v1\ndata:\n  key: ", b"\n  other: eA==\n")


def base64_20(data):
    return around(wrapped(data, 20), behind=b"\n")


def base64_64(data):
    return around(wrapped(data, 64), behind=b"\n")


def base64_76(data):
    return around(wrapped(data, 76).replace(b"\n", b"\r\n"), b"Content-Transfer-Encoding: base64\r\n\r\n", b"\r\n")


def base64_url(data):
    return around(base64.urlsafe_b64encode(data).rstrip(b"="), b"KEY=", b"\n")


def base64_twice(data):
    return around(wrapped(wrapped(data, 76), 0), b'"key": "', b'"')


def base64_inside(data):
    """In the middle of a larger text in base64, at an alignment of its own."""
    text = base64.b64encode(b"x" * 1000 + data + b"y" * 500)
    first = 1000 * 4 // 3
    return Encoded(text, (first - 4, first + len(data) * 4 // 3 + 8))


def gzip_base64(data):
    return around(wrapped(gzip.compress(data, mtime=0), 0), b"BLOB=", b"\n")


def hexadecimal(data):
    return around(data.hex().encode(), b"key = 0x", b"\n")


def hex_lines(data):
    text = data.hex().upper()
    return around("\n".join(text[at : at + 64] for at in range(0, len(text), 64)).encode(), behind=b"\n")


def hex_colons(data):
    """As openssl prints numbers."""
    lines = [data[at : at + 15].hex(":") for at in range(0, len(data), 15)]
    return around(":\n    ".join(lines).encode(), b"key:\n    ", b"\n")


def xxd(data):
    def line(at):
        row = data[at : at + 16]
        groups = " ".join(row[pair : pair + 2].hex() for pair in range(0, len(row), 2))
        return f"{at:08x}: {groups:<39}  {printable(row)}\n"

    return around("".join(line(at) for at in range(0, len(data), 16)).encode())


def hexdump(data):
    def line(at):
        row = data[at : at + 16]
        return f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{printable(row)}|\n"

    return around("".join(line(at) for at in range(0, len(data), 16)).encode())


def printable(row):
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


def c_array(data):
    rows = [", ".join(f"0x{byte:02x}" for byte in data[at : at + 12]) for at in range(0, len(data), 12)]
    return around(",\n  ".join(rows).encode(), b"unsigned char key[] = {\n  ", b"\n};\nunsigned int key_len = 1;\n")


def decimals(data):
    return around(", ".join(map(str, data)).encode(), b"key = bytes([", b"])\n")


def c_string(data):
    return around("".join(f"\\x{byte:02x}" for byte in data).encode(), b'static const char key[] = "', b'";\n')


def elf(data):
    """In the middle of a program, at an odd offset."""
    return around(data, b"\x7fELF\x02\x01\x01" + bytes(9) + noise(8177, 3), noise(2001, 4))


def pyc(data):
    """A module of Python that was compiled."""
    code = compile(f"PORT = 22\nKEY = {data!r}\nNAME = 'x'\n", "settings.py", "exec")
    module = b"\xa7\r\r\n" + struct.pack("<III", 0, 1767322800, 99) + marshal.dumps(code)
    at = module.index(data)
    return Encoded(module, (at, at + len(data)), file="__pycache__/settings-{}.cpython-311.pyc")


def tail(data):
    """Behind a megabyte, so that it lies across the windows of a reader."""
    filler = (b"nothing to see in this line of a log, and none in the next\n" * 18000)[: (1 << 20) - 33]
    return around(data, filler + b"\n", b"\nthe end\n")


# Archives and compressed files.


def whole(data):
    return (0, len(data))


def gzipped(data):
    return Encoded(gzip.compress(data, mtime=0), whole(data), "{}", "{}.gz")


def bzip2ed(data):
    return Encoded(bz2.compress(data), whole(data), None, "{}.bz2")


def xzed(data):
    return Encoded(lzma.compress(data), whole(data), None, "{}.xz")


def zstded(data):
    return Encoded(zstd(data), whole(data), None, "{}.zst")


def zstd(data):
    return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, capture_output=True, check=True).stdout


def tar_of(data, name="etc/app/key.dat", kind=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as tar:
        for path, content in [("etc/app/README", b"read me\n"), (name, data)]:
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def tarred(data):
    return Encoded(tar_of(data), whole(data), "etc/app/key.dat", "{}.tar")


def tar_gz(data):
    return Encoded(gzip.compress(tar_of(data), mtime=0), whole(data), "etc/app/key.dat", "{}.tar.gz")


def tar_xz(data):
    return Encoded(lzma.compress(tar_of(data)), whole(data), "etc/app/key.dat", "{}.tar.xz")


def zip_of(data, method, name="conf/key.dat"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n" * 9)
        archive.writestr(name, data)
    return out.getvalue()


def zipped(data):
    return Encoded(zip_of(data, zipfile.ZIP_DEFLATED), whole(data), "conf/key.dat", "{}.zip")


def zip_stored(data):
    return Encoded(zip_of(data, zipfile.ZIP_STORED), whole(data), "conf/key.dat", "{}.whl")


def jar_in_jar(data):
    jar = zip_of(data, zipfile.ZIP_DEFLATED)
    return Encoded(zip_of(jar, zipfile.ZIP_STORED, "BOOT-INF/lib/a.jar"), whole(data), "conf/key.dat", "{}.jar")


def ar(members):
    out = b"!<arch>\n"
    for name, content in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)
    return out


def deb(data):
    control = gzip.compress(tar_of(b"Package: x\n", "./control"), mtime=0)
    content = lzma.compress(tar_of(data, "./etc/app/key.dat"))
    members = [("debian-binary", b"2.0\n"), ("control.tar.gz", control), ("data.tar.xz", content)]
    return Encoded(ar(members), whole(data), "etc/app/key.dat", "{}.deb")


def cpio(data):
    def entry(name, content, mode=0o100644):
        numbers = [1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name + b"\0"
        return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)

    archive = entry(b"etc/key.dat", data) + entry(b"TRAILER!!!", b"", 0)
    return Encoded(gzip.compress(archive, mtime=0), whole(data), "etc/key.dat", "{}.img")


def git_loose(data):
    content = b"blob %d\0" % len(data) + data
    name = hashlib.sha1(content).hexdigest()
    return Encoded(zlib.compress(content, 1), None, None, f"src-{{}}/.git/objects/{name[:2]}/{name[2:]}")


def git_pack(data):
    def entry(content):
        size, head = len(content), []
        byte, size = 3 << 4 | size & 15, size >> 4
        while size:
            head.append(byte | 0x80)
            byte, size = size & 0x7F, size >> 7
        return bytes([*head, byte]) + zlib.compress(content)

    pack = b"PACK" + struct.pack(">II", 2, 3) + entry(b"hello\n") + entry(data) + entry(b"bye\n")
    digest = hashlib.sha1(pack)
    return Encoded(pack + digest.digest(), None, None, f"src-{{}}/.git/objects/pack/pack-{digest.hexdigest()}.pack")


def sqlite(data, page=4096):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.db")
        base = sqlite3.connect(path)
        base.execute("pragma journal_mode = off")
        base.execute("pragma synchronous = off")
        base.execute(f"pragma page_size = {page}")
        base.execute("create table settings (name text, value blob)")
        rows = [("port", b"22"), ("key", data), ("name", b"x")]
        base.executemany("insert into settings values (?, ?)", rows)
        base.commit()
        base.close()
        with open(path, "rb") as file:
            return Encoded(file.read(), None, None, "{}.sqlite3")


def sqlite_overflow(data):
    """Pages so small that the value goes on in others."""
    return sqlite(data, 512)


TEXT = {
    "crlf": crlf,
    "indented": indented,
    "one-line": one_line,
    "json-literal": literal_json,
    "yaml-literal": literal_yaml,
    "env-literal": literal_env,
    "u-escapes": escaped_some,
    "u-escapes-marks": escaped_marks,
    "u-escapes-all": escaped_all,
    "utf16-le": utf16_le,
    "utf16-be": utf16_be,
    "utf16-odd-offset": utf16_odd,
}

ANY = {
    "as-is": plain,
    "base64": base64_none,
    "base64-20": base64_20,
    "base64-64": base64_64,
    "base64-76-crlf": base64_76,
    "base64url": base64_url,
    "base64-of-base64": base64_twice,
    "base64-inside": base64_inside,
    "gzip-base64": gzip_base64,
    "hex": hexadecimal,
    "hex-lines": hex_lines,
    "hex-colons": hex_colons,
    "xxd": xxd,
    "hexdump": hexdump,
    "c-array": c_array,
    "decimals": decimals,
    "c-string": c_string,
    "elf": elf,
    "pyc": pyc,
}

ARCHIVES = {
    "gzip": gzipped,
    "bzip2": bzip2ed,
    "xz": xzed,
    "zstd": zstded,
    "tar": tarred,
    "tar-gz": tar_gz,
    "tar-xz": tar_xz,
    "zip": zipped,
    "zip-stored": zip_stored,
    "jar-in-jar": jar_in_jar,
    "deb": deb,
    "cpio-gz": cpio,
    "git-loose": git_loose,
    "git-pack": git_pack,
    "sqlite": sqlite,
    "sqlite-overflow": sqlite_overflow,
}

# A megabyte each: two kinds have it.
LARGE = {"behind-a-megabyte": tail}

# Not what a format is any more: its lines are what it consists of.
NEVER = {("dnssec", "one-line")}


def of(kind):
    """All encodings that a kind can have."""
    all_ = {**ANY, **ARCHIVES, **(TEXT if kind.text else {})}
    return {name: encode for name, encode in all_.items() if (kind.name.split("-")[0], name) not in NEVER}
