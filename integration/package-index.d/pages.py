"""Writes the pages of a static Python package index: FOLDER/files/*.whl -> FOLDER/simple/NAME/index.html."""

import hashlib
import pathlib
import re
import sys

folder = pathlib.Path(sys.argv[1])
projects: dict[str, list[str]] = {}
for wheel in sorted((folder / "files").iterdir()):
    name = re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    projects.setdefault(name, []).append(f'<a href="../../files/{wheel.name}#sha256={digest}">{wheel.name}</a><br>')
for name, links in projects.items():
    page = folder / "simple" / name / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<!DOCTYPE html><html><body>\n" + "\n".join(links) + "\n</body></html>\n")
