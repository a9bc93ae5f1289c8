"""Execute the notebook of the documentation and take a picture of each HTML output: ``notebook_pictures.py [FOLDER]``.

The pictures go into ``docs/images`` by default: ``notebook-1.png`` and so on. Needs a Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-deploy.ipynb"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1000, 1600
PAGE = """\
<!doctype html><meta charset="utf-8">
<body style="margin: 16px; background: #fff; font: 14px system-ui, sans-serif">{html}</body>
"""


def outputs(folder: Path) -> Iterator[str]:
    """HTML of the outputs of the notebook, executed in ``folder`` by a kernel."""
    (folder / "pyproject.toml").write_text("[tool.aipc]\n")
    notebook = nbformat.read(NOTEBOOK, 4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if html := output.get("data", {}).get("text/html"):
                yield "".join(html).replace(str(folder), "project")


def picture(html: str, path: Path, folder: Path) -> None:
    """Show the output in a browser, and cut the empty part of the page off."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"none of {', '.join(BROWSERS)} is installed")
    page, shot = folder / "page.html", folder / "shot.png"
    page.write_text(PAGE.format(html=html), "utf-8")
    options = ("--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}")
    subprocess.run([browser, *options, f"--screenshot={shot}", page.as_uri()], check=True, capture_output=True)
    with Image.open(shot) as image:
        shown = image.convert("RGB")
        box = ImageChops.difference(shown, Image.new("RGB", shown.size, "white")).getbbox()
        if box is None:
            raise SystemExit(f"{path.name} is empty: the output shows nothing")
        shown.crop((0, 0, WIDTH, min(HEIGHT, box[3] + 16))).quantize(64).save(path, optimize=True)


def main(target: Path) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, html in enumerate(outputs(folder), 1):
            picture(html, target / f"notebook-{number}.png", folder)
            print(target / f"notebook-{number}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
