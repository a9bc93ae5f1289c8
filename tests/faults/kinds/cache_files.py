"""Files of cache entries that are damaged, by programs and by storage devices: nothing is made from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from aipc.core.cache import Cache, DamagedEntryError
from aipc.core.entry_files import stamp_of

from ..harness import Kind, Shared, damage, tree

KEYS = [letter * 64 for letter in "abc"]


def trial(random: Random, place: Path, shared: Shared) -> str:
    contents = {key: random.randbytes(random.randrange(1, 5000)) for key in KEYS}

    def build(key: str, directory: Path) -> Mapping[str, Any]:
        (directory / "deep").mkdir()
        (directory / "deep" / "file").write_bytes(contents[key])
        return {"key": key}

    for key in KEYS:
        Cache(place).put(key, lambda directory, key=key: build(key, directory))
    key = random.choice(KEYS)
    path = random.choice(sorted(item for item in (place / "entries" / key[:2] / key).rglob("*") if item.is_file()))
    how = damage(random, path)
    if path.name not in {"hashes.json"} and path.exists() and random.random() < 0.5:
        _hide(place / "entries" / key[:2] / key, path)
    cache, said = Cache(place), []
    cache.on_damage = said.append
    for other in KEYS:
        entry = cache.get(other)
        if entry is not None:
            try:
                cache.require_sound([entry])
            except DamagedEntryError:
                entry = None
        if entry is None and other != key:
            return f"{how} of {path.name}: another entry is gone"
        entry = entry or cache.put(other, lambda directory, other=other: build(other, directory))
        found = {name: data for name, data in tree(entry.path).items() if name == "deep/file"}
        if found != {"deep/file": contents[other]} or entry.meta != {"key": other}:
            return f"{how} of {path.name} was taken"
    return "" if len(said) <= 1 else f"said {len(said)} times"


def _hide(directory: Path, path: Path) -> None:
    """As a storage device does it: no stamp says that the file was changed."""
    record = directory / "hashes.json"
    data = json.loads(record.read_text())
    item = data["files"][path.relative_to(directory).as_posix()]
    if item[1][1] == path.stat().st_size:
        item[1] = list(stamp_of(path))
        record.write_text(json.dumps(data))


KIND = Kind(name="cache files", trial=trial, fixed=40)
