"""Load what an application is made from: an object of the author's, a Hugging Face folder, or a GGUF file."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from aipc.capture.load import import_file, raised, seed_everything
from aipc.core.config import PACKAGE_PREFIX, locate
from aipc.core.errors import AipcError, InputError, ModelLoadError

from .recipe import Recipe, recipe_for, resolved_options
from .source import Source


@lru_cache(maxsize=1)
def open_application(source: Source) -> Recipe:
    """Load the object and its tokenizer, and find the recipe that fits.

    Raises:
        ModelLoadError: a checkpoint or the author's code cannot be loaded, or a tensor of it is missing.
        InputError: no recipe fits, or the tokenizer does not fit the model.
    """
    seed_everything()
    root = Path(source.root)
    path = _path(source.entry, root)
    whole: Any = None
    if path.suffix == ".gguf" or path.is_dir():
        model, whole = _checkpoint(path)
    else:
        model = _called(source.entry, root)
    if isinstance(model, Recipe):
        return model
    if isinstance(model, (str, Path)):
        model, whole = _checkpoint(Path(model))
    kind = recipe_for(model, source.recipe)
    tokenizer = whole.backend_tokenizer if whole is not None else None
    if source.tokenizer:
        tokenizer = _tokenizer(_tokenizer_file(source.tokenizer, root))
    _check_tokenizer(tokenizer, model)
    return kind(
        model.eval().requires_grad_(False),
        tokenizer,
        resolved_options(kind, dict(source.options)),
        kind.resolve_samples(source.samples, root),
        _chat(whole),
    )


def _chat(tokenizer: Any) -> Callable[[str], str] | None:
    """The chat template of a tokenizer of transformers, if it has one."""
    if not getattr(tokenizer, "chat_template", None):
        return None

    def chat(message: str) -> str:
        messages = [{"role": "user", "content": message}]
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    return chat


def _path(entry: str, root: Path) -> Path:
    if entry.startswith(PACKAGE_PREFIX):
        return locate(entry, root)
    return (root / Path(entry).expanduser()).resolve()


def _called(entry: str, root: Path) -> Any:
    """What ``file.py:factory`` returns."""
    file, _, name = entry.rpartition(":")
    path = _path(file, root) if file else root / entry
    if path.suffix != ".py" or not path.is_file():
        raise ModelLoadError(
            f"the entry {entry!r} is neither file.py:factory, a folder nor a .gguf file in {root}",
            remedy="correct entry in the configuration",
        )
    factory = getattr(import_file(path, root), name, None)
    if factory is None:
        raise ModelLoadError(f"there is no {name} in {path}", remedy="correct entry in the configuration")
    try:
        return factory() if callable(factory) and not hasattr(factory, "eval") else factory
    except Exception as error:
        raise raised(error, path, name) from error


def _checkpoint(path: Path) -> tuple[Any, Any]:
    """A model of transformers in fp32, and its tokenizer, None where the folder has none.

    Raises:
        ModelLoadError: the files are not those of a model, or a tensor is missing.
    """
    import torch
    import transformers

    if not path.exists():
        raise ModelLoadError(f"there is no {path}", remedy="correct entry in the configuration")
    options: dict[str, Any] = {"gguf_file": path.name} if path.is_file() else {}
    folder = path.parent if path.is_file() else path
    for file in (path,) if path.is_file() else sorted(folder.glob("*.safetensors")):
        with file.open("rb"):  # weights are mapped by native code; this open is what records that they are read
            pass
    if not options and not (folder / "config.json").is_file():
        raise ModelLoadError(f"{folder} has no config.json: it is no Hugging Face folder", remedy="correct entry")
    try:
        kind: Any = transformers.AutoModelForCausalLM
        if not options:
            listed = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or [""]
            kind = getattr(transformers, listed[0], kind)
        model, report = kind.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, local_files_only=True, **options
        )
        tokenizer: Any = None
        if options or (folder / "tokenizer.json").is_file():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, **options)
    except AipcError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise ModelLoadError(
            f"{path} cannot be loaded: {lines[0] if lines else type(error).__name__}", remedy="check the files"
        ) from error
    missing = sorted(report["missing_keys"])
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ModelLoadError(
            f"{path} lacks the tensor {missing[0]}{more}: its values would be random", remedy="get the whole checkpoint"
        )
    return model, tokenizer


def _tokenizer_file(text: str, root: Path) -> Path:
    if ".py:" in text:
        return root / Path(_called(text, root))
    return _path(text, root)


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:
        raise InputError(
            f"{file} is not a tokenizer.json: {error}", remedy="correct tokenizer in the configuration"
        ) from error


def _check_tokenizer(tokenizer: Any, model: Any) -> None:
    """A tokenizer may have fewer tokens than the model has rows, which are often padded, and never more."""
    if tokenizer is None:
        return
    rows, highest = model.config.get_text_config().vocab_size, max(tokenizer.get_vocab().values())
    if highest >= rows:
        raise InputError(
            f"the tokenizer does not fit the model: its tokens go up to {highest} and the model has {rows}",
            remedy="use the tokenizer of this very checkpoint",
        )
