"""Copy what the graph panel needs of Netron's viewer, unmodified: ``copy_netron.py DIRECTORY``.

Scripts and data are copied byte for byte; the page's style is cut out of Netron's ``index.html``. Netron is MIT
licensed but its wheel has no licence file, so the text is written beside the copies; ``index.txt`` lists every file.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from importlib import metadata, util
from pathlib import Path

VERSION = "9.3.3"

# To open an ONNX file, and to say in one sentence what another file is when it is not one.
SCRIPTS = (
    *("browser", "view", "grapher", "dagre", "base", "onnx", "onnx-proto", "onnx-schema", "protobuf", "text", "json"),
    *("xml", "zip", "tar", "hdf5", "flatbuffers", "flexbuffers"),
)
DATA = ("onnx-metadata.json", "grapher.css")

LICENSE = """\
MIT License

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


def copy_netron(out: Path) -> None:
    source = _installed()
    out.mkdir(parents=True, exist_ok=True)
    for name in (*(f"{script}.js" for script in SCRIPTS), *DATA):
        shutil.copyfile(source / name, out / name)
    (out / "page.css").write_text(_style((source / "index.html").read_text("utf-8")), "utf-8")
    (out / "LICENSE").write_text(LICENSE, "utf-8")
    files = sorted(path for path in out.iterdir() if path.name != "index.txt")
    listing = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    (out / "index.txt").write_text("\n".join([f"netron {VERSION}", *listing, ""]), "utf-8")


def _installed() -> Path:
    """The folder of the installed netron; it is not imported."""
    try:
        found = metadata.version("netron")
    except metadata.PackageNotFoundError:
        raise SystemExit(f"netron is not installed: pip install netron=={VERSION}") from None
    if found != VERSION:
        raise SystemExit(f"netron {found} is installed, the graph panel needs {VERSION}: pip install netron=={VERSION}")
    spec = util.find_spec("netron")
    if spec is None or spec.origin is None:
        raise SystemExit(f"netron {found} is installed without its files: reinstall it")
    return Path(spec.origin).parent


def _style(page: str) -> str:
    match = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    if match is None:
        raise SystemExit(f"netron {VERSION} is installed but its page has no style: reinstall it")
    return match[1].strip() + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: copy_netron.py DIRECTORY")
    copy_netron(Path(sys.argv[1]))
