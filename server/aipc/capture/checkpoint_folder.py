"""Models as transformers saves them: a folder with config.json and the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aipc.core.errors import MissingDependencyError, ModelLoadError

_WEIGHTS = ("*.safetensors", "*.bin", "*.json")


def own_files(path: Path) -> tuple[Path, ...]:
    """The files that a model at ``path`` depends on, read by native code too: the file, or those of its folder."""
    if not path.is_dir():
        return (path,)
    return tuple(sorted(file for pattern in _WEIGHTS for file in path.glob(pattern)))


def load_folder(path: Path) -> Any:
    """The model in ``path``, of the class that its config.json names.

    Raises:
        MissingDependencyError: transformers is not installed.
        ModelLoadError: it is another library's, needs code of its own, cannot be read, or a tensor is missing.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingDependencyError(
            f"{path} is a folder of transformers, which is not installed", remedy="run pip install transformers"
        ) from error
    try:
        config = json.loads((path / "config.json").read_text("utf-8"))
        listed = config.get("architectures") or ["AutoModel"]
        needs_code, kind = "auto_map" in config, getattr(transformers, str(listed[0]), None)
    except (ValueError, AttributeError, OSError) as error:
        raise ModelLoadError(f"{path / 'config.json'} is no configuration: {error}", remedy="get it again") from error
    if kind is None or needs_code:
        why = "needs Python code of its own" if needs_code else f"is {listed[0]}, which transformers does not have"
        raise ModelLoadError(
            f"the model in {path} {why}",
            remedy="write a function that loads and returns it, and name it as file.py:function",
        )
    try:
        model, report = kind.from_pretrained(path, local_files_only=True, output_loading_info=True)
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise ModelLoadError(
            f"{path} cannot be loaded: {lines[0] if lines else type(error).__name__}", remedy="get the whole folder"
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelLoadError(
            f"{path} lacks {len(missing)} tensors, {missing[0]} among them: their values would be random",
            remedy="get the whole checkpoint",
        )
    for part in model.modules():
        if hasattr(getattr(part, "config", None), "use_cache"):
            part.config.use_cache = False  # one call answers for all its tokens; a decoder's loop is an application
    return model
