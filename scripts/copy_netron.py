"""Copy what the graph panel needs of Netron's viewer, unmodified: ``copy_netron.py DIRECTORY``.

The page's body and its style are cut out of Netron's ``index.html``; every script is copied as it is. Netron is MIT
licensed; its wheel carries no licence file, so the text is written beside the copies.
"""

from __future__ import annotations

import re
import shutil
import sys
from importlib import metadata, util
from pathlib import Path

VERSION = "9.3.3"

SCRIPTS = (
    *("view", "grapher", "browser", "base", "onnx", "onnx-proto", "onnx-schema", "protobuf", "text", "json", "xml"),
    *("zip", "tar", "hdf5", "python", "flatbuffers", "flexbuffers", "dagre", "worker"),
)
DATA = ("onnx-metadata.json", "grapher.css")

LICENSE = """MIT License

Copyright (c) Lutz Roeder

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def main(out: Path) -> None:
    found = metadata.version("netron")
    if found != VERSION:
        raise SystemExit(f"netron {found} is installed, but the graph panel is tested with {VERSION}: install that one")
    spec = util.find_spec("netron")
    assert spec and spec.origin
    source = Path(spec.origin).parent
    out.mkdir(parents=True, exist_ok=True)
    for name in (*(f"{script}.js" for script in SCRIPTS), *DATA):
        shutil.copyfile(source / name, out / name)
    page = (source / "index.html").read_text("utf-8")
    (out / "body.html").write_text(_between(page, "body"), "utf-8")
    (out / "page.css").write_text(_between(page, "style"), "utf-8")
    (out / "LICENSE").write_text(LICENSE, "utf-8")
    (out / "VERSION").write_text(f"{VERSION}\n", "utf-8")


def _between(page: str, tag: str) -> str:
    match = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
    assert match, f"Netron's page has no <{tag}>"
    return match[1].strip() + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
