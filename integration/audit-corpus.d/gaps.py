"""The one table of what an audit does not manage yet, and why.

A row is a pattern of case names and a reason. A case that is in here and has nothing wrong any
more fails the test, so that this list stays honest: take its row off, or make it narrower.
"""

from fnmatch import fnmatchcase

GAPS = []


def reason(name):
    """Why this case is a known gap, if it is one."""
    return next((reason for pattern, reason in GAPS if fnmatchcase(name, pattern)), None)
