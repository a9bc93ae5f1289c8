"""A command's arguments and options from the request that it makes, described in ``core/requests.py``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from aipc.core.option import PathKind, Value, build, values_of

T = TypeVar("T")


def takes(request: type, *, without: Collection[str] = ()) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the options of ``request``, and hand it the request that they make as its first argument.

    Args:
        without: names of options that the command does not have; a model or a package left out is then empty.
    """
    values = tuple(item for item in values_of(request) if item.name not in without)

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        _, *own = inspect.signature(command).parameters.values()
        hints = get_type_hints(command, include_extras=True)
        keyword = inspect.Parameter.KEYWORD_ONLY

        @functools.wraps(command)
        def run(**options: Any) -> int:
            values_by_name = {item.name: _from_here(item, options.pop(item.name)) for item in values}
            if "model" in without:
                values_by_name = {"model": "", **values_by_name}
            if "package" in without:
                values_by_name = {"package": Path(), **values_by_name}
            return command(build(request, values_by_name), **options)

        parameters = [
            inspect.Parameter(
                item.name,
                keyword,
                annotation=_annotation(item),
                default=inspect.Parameter.empty if item.required else item.default,
            )
            for item in values
        ]
        parameters += [item.replace(kind=keyword, annotation=hints[item.name]) for item in own]
        del run.__wrapped__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in parameters} | {"return": int}
        return run

    return decorate


def _annotation(item: Value) -> Any:
    kind: Any = GenericAlias(list, (item.type,)) if item.many else item.type
    if not item.required and item.type is not bool:
        kind = kind | None
    if item.option.positional:
        return Annotated[kind, typer.Argument(metavar=item.option.metavar, help=item.help, show_default=False)]
    number = item.option.minimum
    least = int(number) if number is not None and item.type is int else number
    return Annotated[kind, typer.Option(*item.flags, metavar=item.option.metavar, min=least, help=item.help)]


def _from_here(item: Value, value: Any) -> Any:
    """A path of the command line as an absolute one: the configuration's are relative to its file, these to here."""
    if item.option.path is PathKind.DATA and isinstance(value, str):
        return from_here(value)
    if item.many and item.option.path:
        return tuple(str(Path(text).expanduser().resolve()) for text in value or ())
    return value


def from_here(text: str) -> str:
    """``text`` with the file that it names made absolute; the text itself where it names none."""
    file, separator, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    path = Path(file).expanduser()
    return f"{path.resolve()}{separator}{name}" if text not in ("", "random") and path.exists() else text
