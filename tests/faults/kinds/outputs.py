"""Directories of somebody else as the place of a package: refused by name, and nothing in them is lost."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from random import Random

from aipc.core.errors import StorageError
from aipc.pipeline.package import check_output, install_package

from ..harness import Kind, Shared, dumped, mutate, tree

NAMES = (
    "manifest.json",
    "index.html",
    "run.py",
    "model.onnx",
    "golden/inputs.npz",
    ".git/HEAD",
    "ä/😀.txt",
    "report.html",
)


def trial(random: Random, place: Path, shared: Shared) -> str:
    out = place / "out"
    out.mkdir()
    (place / "neighbour").write_text("precious")
    if random.random() < 0.5:
        shutil.copytree(shared.package, out, dirs_exist_ok=True)
    for name in random.sample(NAMES, random.randrange(1, 5)):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        manifest = json.loads((shared.package / "manifest.json").read_text())
        text = dumped(mutate(random, manifest)) if name == "manifest.json" else str(random.random())
        (out / name).write_text(text)
    if random.random() < 0.2:
        os.mkfifo(out / "pipe")
    listed = {*json.loads((shared.package / "manifest.json").read_text())["files"], "manifest.json"}
    foreign = {name for name in tree(out) if name not in listed | {"report.html", "report.json"}}
    foreign |= {"pipe"} if (out / "pipe").exists() else set()
    before = tree(out)
    try:
        check_output(out)
        install_package(shared.package, out, {})
        if foreign:
            return f"replaced, with {sorted(foreign)} in it"
    except StorageError as error:
        if tree(out) != before:
            return f"refused and changed: {error}"
    if (place / "neighbour").read_text() != "precious" or len(list(place.iterdir())) != 2:
        return f"debris: {sorted(path.name for path in place.iterdir())}"
    return ""


KIND = Kind(name="outputs", trial=trial)
