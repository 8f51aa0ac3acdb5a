"""The one table of what an audit does not manage yet, and why.

A row is a pattern of case names and a reason. A row none of whose cases has anything wrong any
more fails the test, so that this list stays honest: take it off, or make it narrower.
"""

from fnmatch import fnmatchcase

MARKS = "escapes of what an encoder leaves alone, dashes and blanks too: pieces between them are too short to be taken for an escaped text"
QUOTES = "the `=` and the quotes that the format is told by are escaped, in a text that has few other escapes"
FIRST_LINE = "the first line of a dump is lost where no line feed stands in front of it, as behind the header of a tar"
BEHIND = "the length is believed although the file ends before: the next file's bytes are taken for the rest"

GAPS = [
    ("*/u-escapes-marks", MARKS),
    ("jwk-*/u-escapes", QUOTES),
    ("wireguard/u-escapes", QUOTES),
    *[
        (f"{kind}/{dump}", FIRST_LINE)
        for kind in [
            "dnssec-rsa2048", "jwk-ed25519", "jwk-rsa2048", "pgp-ed25519-binary", "pgp-rsa2048-binary", "pkcs1-rsa2048-der",
            "pkcs1-rsa2048-encrypted", "pkcs8-ed25519-der", "putty-v2-rsa2048", "putty-v3-ed25519", "sec1-p256-der",
        ]
        for dump in ["xxd", "hexdump"]
    ],
    ("near/half-jks", BEHIND),
    ("near/half-pkcs12", BEHIND),
    ("near/half-pkcs8-rsa2048-encrypted-der", BEHIND),
]


def row(name):
    """The pattern and the reason of this case, if it is a known gap."""
    return next(({"pattern": pattern, "reason": reason} for pattern, reason in GAPS if fnmatchcase(name, pattern)), None)
