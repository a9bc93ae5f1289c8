"""What a recipe is, and which one fits an object."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from aipc.core.answers import Answer
from aipc.core.errors import InputError

Inputs = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationGraph:
    """One static graph of an application.

    Args:
        module: takes tensors by keyword, returns a dict of tensors.
        inputs: an example of its inputs, by name, such as occurs while the application works.
        samples: more of them, to calibrate with.
        tolerance: thresholds of this graph's own gates, as in the configuration's ``tolerance``.
    """

    module: nn.Module
    inputs: Callable[[], Inputs]
    samples: Callable[[], Iterator[Inputs]]
    tolerance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecipeOption:
    """A number that the configuration may set in ``options`` of an application."""

    default: int
    help: str


class Recipe(ABC):
    """Turn one object of a family into an application.

    A recipe is a file of this folder whose class is called ``RECIPE``. The author's own module can be an application
    too: a factory may return an object of a class derived from this one.

    Args:
        model: the object in evaluation mode.
        tokenizer: a ``tokenizers.Tokenizer``; None where the application came without one.
        options: every option of ``OPTIONS``, by name.
        samples: what the application is judged on: prompts or paths of audio files.
        chat: what the checkpoint's chat template makes of one message of a user; None where it has no template.
    """

    FAMILY: ClassVar[str]
    RUNNER: ClassVar[str]
    """Name of the host program in ``apps/runners``."""
    OPTIONS: ClassVar[Mapping[str, RecipeOption]] = {}

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        options: Mapping[str, int],
        samples: Sequence[str],
        chat: Callable[[str], str] | None = None,
    ) -> None:
        self.model, self.tokenizer, self.options, self.samples = model, tokenizer, dict(options), tuple(samples)
        self.chat = chat

    @staticmethod
    def resolve_samples(samples: Sequence[str], root: Path) -> tuple[str, ...]:
        """What the configuration's ``samples`` stand for: prompts as they are; a recipe of files finds the files."""
        return tuple(samples)

    @staticmethod
    @abstractmethod
    def takes(model: Any) -> bool:
        """Whether the object belongs to this family; decided by its class, without running it."""

    @abstractmethod
    def graphs(self) -> Mapping[str, ApplicationGraph]:
        """The graphs by name, in the order in which the application runs them first."""

    @abstractmethod
    def host(self) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
        """What the host program needs besides the graphs: numbers and names (JSON), and arrays by name."""

    @abstractmethod
    def answers(self) -> tuple[Answer, ...]:
        """PyTorch's own answer in fp32 to every sample: the library's ``generate``, greedy."""


@lru_cache(maxsize=1)
def all_recipes() -> tuple[type[Recipe], ...]:
    """Every recipe, found by walking this folder, in the order of the files' names."""
    from aipc import recipes

    modules = [
        importlib.import_module(f"{recipes.__name__}.{item.name}") for item in pkgutil.iter_modules(recipes.__path__)
    ]
    return tuple(module.RECIPE for module in modules if hasattr(module, "RECIPE"))


def recipe_for(model: Any, name: str | None) -> type[Recipe]:
    """The recipe called ``name``, or the one whose family the object belongs to.

    Raises:
        InputError: there is none.
    """
    known = {recipe.FAMILY: recipe for recipe in all_recipes()}
    if name is not None:
        if name not in known:
            raise InputError(f"there is no recipe called {name!r}", remedy=f"recipes: {', '.join(known)}")
        return known[name]
    for recipe in known.values():
        if recipe.takes(model):
            return recipe
    raise InputError(
        f"no recipe fits {type(model).__name__}: recipes are for {', '.join(known)}",
        remedy="deploy its graphs as models, or return an object derived from aipc.recipes.recipe.Recipe",
    )


def resolved_options(recipe: type[Recipe], options: Mapping[str, int]) -> dict[str, int]:
    """Every option of the recipe, as given or by default.

    Raises:
        InputError: an option that the recipe does not know.
    """
    for name in options:
        if name not in recipe.OPTIONS:
            known = ", ".join(recipe.OPTIONS) or "none"
            raise InputError(f"the recipe {recipe.FAMILY} has no option {name!r}", remedy=f"its options are {known}")
    return {name: int(options.get(name, option.default)) for name, option in recipe.OPTIONS.items()}


def sample_files(samples: Sequence[str], root: Path) -> list[Path]:
    """The files that paths and patterns name, relative to ``root``, sorted within a pattern.

    Raises:
        InputError: one that names no file.
    """
    files: list[Path] = []
    for text in samples:
        path = Path(text).expanduser()
        matches = sorted(Path(path.anchor or root).glob(str(path.relative_to(path.anchor)) if path.anchor else text))
        if not matches:
            raise InputError(f"there is no file {text} in {root}", remedy="correct samples in the configuration")
        files += matches
    return files
