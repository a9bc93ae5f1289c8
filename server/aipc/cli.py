"""The ``aipc`` command line: finds the commands, runs one, turns errors into a sentence and a status.

Exit status: 0 clean or done, 1 findings or a gate not passed, 2 could not run, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from aipc.commands import discover
from aipc.commands._console import write, write_json
from aipc.core.documents import error_document, internal_error
from aipc.core.errors import AipcError

INTERRUPTED = 130
COULD_NOT_RUN = 2


def build(only: str = "") -> typer.Typer:
    """The application with every command, or with that one, where there is one of this name."""
    app = typer.Typer(
        help="Deploy PyTorch models to Snapdragon, checked by Qualcomm's own compiler.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name, command in discover(only).items():
        app.command(name)(command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from aipc import __version__

        write(f"aipc {__version__}\n")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Deploy PyTorch models to Snapdragon, checked by Qualcomm's own compiler."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character must not end the command
    before_dashes = arguments[: list(arguments).index("--")] if "--" in arguments else arguments
    as_json, debug = "--json" in before_dashes, "--debug" in before_dashes
    try:
        status = _invoke(list(arguments) or ["--help"])
    except AipcError as error:
        return _failed(error, as_json=as_json, debug=debug)
    except typer.TyperException as error:
        wrong = AipcError(_sentence(error.format_message()), remedy="see aipc --help")
        return _failed(wrong, as_json=as_json, debug=debug, kind="UsageError")
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        stopped = AipcError("interrupted")
        return _failed(stopped, as_json=as_json, debug=debug, kind="CancelledError", status=INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT_RUN
    except Exception as error:
        return _failed(internal_error(error), as_json=as_json, debug=debug)
    return status if isinstance(status, int) else 0


def _invoke(arguments: list[str]) -> Any:
    """Not typer's own main(): that ends on Ctrl-C without a word, where ``--json`` promises a document."""
    # The others are neither imported nor built.
    command = typer.main.get_command(build(arguments[0]))
    with command.make_context("aipc", arguments) as context:
        return command.invoke(context)


def _failed(error: AipcError, *, as_json: bool, debug: bool, kind: str | None = None, status: int | None = None) -> int:
    """Say what is wrong: a sentence on stderr, with ``as_json`` a document on stdout."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
        if error.detail:
            print(error.detail, file=sys.stderr)
    print(f"error: {_sentence(str(error))}", file=sys.stderr)
    if as_json:
        write_json(error_document(error, kind))
    return error.exit_status if status is None else status


def _sentence(text: str) -> str:
    """One line, without a final period."""
    return " ".join(text.split()).removesuffix(".")
