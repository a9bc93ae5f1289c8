"""One description of each option: what it means, how it is spelled, and how a request is built from its values.

A request is a frozen dataclass. A field that a user can set is made by :func:`option`; the command line, the MCP tools,
the language server, the configuration and the reference pages derive theirs from it. Other fields are what a front door
itself hands over (the working directory, the texts that are not saved).
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_KEY = "option"
_GROUP = "options of"


class PathKind(str, Enum):
    """What a text names. A front door makes it absolute, or holds it inside a workspace."""

    MODEL = "model"
    DATA = "data"
    """A file or folder, ``file.py:name``, or a word such as ``random``."""
    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A flag that gives its field one value: ``--no-cache`` is ``use_cache=False``."""

    name: str
    value: Any
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """The description of one option.

    Args:
        help: one sentence without its final period; what is between backticks is literal.
        default: in words, what holds where the option is not given; empty where the value itself says it.
        agents: a further sentence for language models, which see no other documentation.
        flags: spellings on the command line; by default the field's name with dashes.
        positional: an argument of the command line, not an option.
        path: what kind of path the text is.
        minimum: the least number.
        switches: flags that stand for the field's values, in place of the field.
        parse: makes the field's value, or one item of it, from the text that is given.
        users_word: the user's own permission, which no tool of a language model can give.
        configured: also a key of the configuration, whose value holds where a request has the default.
    """

    help: str
    default: str = ""
    agents: str = ""
    metavar: str | None = None
    flags: tuple[str, ...] = ()
    positional: bool = False
    path: PathKind | None = None
    minimum: float | None = None
    switches: tuple[Switch, ...] = ()
    parse: Callable[[str], Any] | None = None
    users_word: bool = False
    configured: bool = False

    @property
    def text(self) -> str:
        """The whole help."""
        sources = ("the configuration's" if self.configured and not self.switches else "", self.default)
        default = ", else ".join(source for source in sources if source)
        return f"{self.help}.{f' Default: {default}.' if default else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value that a user gives: a field's, or one switch of it.

    Args:
        name: in snake case; each front door spells it in its own way.
        type: of the value: ``str``, ``bool``, ``int``, ``float`` or ``Path``; with ``many`` of each item.
        place: names of the fields that lead to it in the request, one or two.
        default: the value where it is not given; None where the request decides.
    """

    name: str
    type: type
    many: bool
    required: bool
    default: Any
    option: Option
    place: tuple[str, ...]
    switch: Switch | None = None

    @property
    def help(self) -> str:
        return f"{self.switch.help}." if self.switch else self.option.text

    @property
    def flags(self) -> tuple[str, ...]:
        return self.option.flags or ("--" + self.name.replace("_", "-"),)


def option(described: Option, default: Any = MISSING, /, **changes: Any) -> Any:
    """A dataclass field that a user can set; ``changes`` are those of the description for this request."""
    changed = dataclasses.replace(described, **changes) if changes else described
    return dataclasses.field(default=default, metadata={_KEY: changed})


def described_factory(described: Option, factory: Callable[[], Any]) -> Any:
    """The same for a key of the configuration whose default is made anew, such as an empty table."""
    return dataclasses.field(default_factory=factory, metadata={_KEY: described})


def description(kind: Any) -> dict[str, Option]:
    """Field -> description, of those that have one."""
    return {field.name: field.metadata[_KEY] for field in dataclasses.fields(kind) if _KEY in field.metadata}


def options_of(kind: Callable[[], Any]) -> Any:
    """A dataclass field that holds a dataclass of options, which a user sets as if they were the request's own."""
    return dataclasses.field(default_factory=kind, metadata={_GROUP: kind})


def _type_hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields. ``KW_ONLY`` is no type, and Python 3.10 refuses it as one."""
    return get_type_hints(kind, localns={"KW_ONLY": object})


def values_of(request: type) -> tuple[Value, ...]:
    """What a user gives for a request, in the order of its fields."""
    return tuple(_values(request, ()))


def _values(kind: Any, place: tuple[str, ...]) -> Iterator[Value]:
    hints = _type_hints(kind)
    for field in dataclasses.fields(kind):
        here = (*place, field.name)
        if _GROUP in field.metadata:
            yield from _values(field.metadata[_GROUP], here)
        described: Option | None = field.metadata.get(_KEY)
        if described is None:
            continue
        common: dict[str, Any] = {"option": described, "place": here}
        if described.switches:
            for item in described.switches:
                yield Value(name=item.name, type=bool, many=False, required=False, default=False, switch=item, **common)
            continue
        needed = field.default is MISSING and field.default_factory is MISSING
        plain, many = _plain(hints[field.name], described)
        default = None if needed or many or described.parse else field.default
        yield Value(name=field.name, type=plain, many=many, required=needed, default=default, **common)


def _plain(hint: Any, described: Option) -> tuple[type, bool]:
    """The type of a field without ``None``, and whether it is a tuple of them."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (item for item in get_args(hint) if item is not type(None))
    if get_origin(hint) is tuple:
        return (str if described.parse else get_args(hint)[0]), True
    if described.parse:
        return str, False
    if get_origin(hint) is Literal:
        return str, False
    return hint, False


def build(request: type[T], values: Mapping[str, Any], **others: Any) -> T:
    """The request with these values by name; what is None or absent keeps its default.

    Args:
        others: fields that are no options.
    """
    values_by_name: dict[str, Any] = dict(others)
    groups: dict[str, dict[str, Any]] = {}
    for item in values_of(request):
        value: Any = values.get(item.name)
        if value is None or (item.switch and not value):
            continue
        if item.switch:
            value = item.switch.value
        elif item.many:
            value = tuple(item.option.parse(text) for text in value) if item.option.parse else tuple(value)
        elif item.option.parse and isinstance(value, str):
            value = item.option.parse(value)
        if item.type is Path and not item.many:
            value = Path(value)
        if len(item.place) == 1:
            values_by_name[item.place[0]] = value
        else:
            groups.setdefault(item.place[0], {})[item.place[1]] = value
    for field in dataclasses.fields(request):  # type: ignore[arg-type]
        if field.name in groups:
            values_by_name[field.name] = field.metadata[_GROUP](**groups[field.name])
    return request(**values_by_name)


def configured_values(*requests: type, without: Collection[str] = ()) -> dict[str, Value]:
    """The values that the configuration may give too, by the name of their field."""
    result: dict[str, Value] = {}
    for request in requests:
        hints, fields = _type_hints(request), {field.name: field for field in dataclasses.fields(request)}
        for item in values_of(request):
            name = item.place[-1]
            if item.option.configured and name not in without:
                plain, many = _plain(hints[name], item.option)
                default = fields[name].default
                result[name] = dataclasses.replace(item, name=name, type=plain, many=many, default=default, switch=None)
    return result


def with_configured(request: T, configured: Mapping[str, Any]) -> T:
    """The request with the configuration's values where it has the defaults."""
    fields = {field.name: field for field in dataclasses.fields(request)}  # type: ignore[arg-type]
    changes = {
        name: value
        for name, value in configured.items()
        if name in fields and getattr(request, name) == fields[name].default
    }
    return dataclasses.replace(request, **changes) if changes else request  # type: ignore[type-var]
