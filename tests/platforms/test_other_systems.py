"""The front doors on Windows and macOS, as far as Linux can show it: what those systems lack is taken away first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aipc.core.names import name_problem

SCRIPT = """\
import sys
# Python's own modules choose their parts for this system as they are imported: they come first.
import asyncio, concurrent.futures.process, ctypes.util, getpass, logging.handlers, multiprocessing.util, os, pathlib
import platform, select, shutil, signal, socket, subprocess, tempfile, threading, webbrowser, zipfile
import cattrs, filelock, lsprotocol.types, platformdirs, psutil, pygls.lsp.server, rich.console, rich.progress
import sysconfig, tomlkit, typer

sysconfig.get_config_vars()

system, name = sys.argv[1:]
MODULES = {"win32": ["fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"], "darwin": []}[system]
NAMES = {
    "win32": [
        (os, ["fork", "forkpty", "geteuid", "getuid", "getpgid", "killpg", "mkfifo", "setsid", "sysconf", "uname"]),
        (signal, ["SIGHUP", "SIGKILL", "SIGUSR1", "SIGALRM", "SIGCHLD", "SIGSTOP", "pthread_sigmask"]),
    ],
    "darwin": [(os, ["memfd_create", "pidfd_open", "sched_getaffinity", "sched_setaffinity"])],
}[system]


class Absent:
    def find_spec(self, module, path=None, target=None):
        if module in MODULES:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


sys.meta_path.insert(0, Absent())
for module in MODULES:
    sys.modules.pop(module, None)
for holder, attributes in NAMES:
    for attribute in attributes:
        if hasattr(holder, attribute):
            delattr(holder, attribute)
sys.platform = system
platform.system = lambda: name

import importlib, pkgutil
import aipc.api, aipc.cli, aipc.commands, aipc.doctor, aipc.engine, aipc.lsp.features, aipc.lsp.server
import aipc.mcp.tools, aipc.targets
for package in (aipc.commands, aipc.lsp.features, aipc.mcp.tools, aipc.targets, aipc.api):
    for item in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(item.name)
[getattr(aipc, item) for item in aipc.__all__]
assert aipc.doctor.examine().items
sys.argv = ["aipc", "check", "--help"]
from aipc.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(("system", "name"), [("win32", "Windows"), ("darwin", "Darwin")])
def test_the_front_doors_start_without_what_the_other_system_lacks(system: str, name: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, system, name], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "--fail-on" in done.stdout


@pytest.mark.parametrize("name", ["a:b", "what?", "a*", "<net>", "a|b", 'a"b', "CON", "nul.v2", "com1", "net."])
def test_names_that_windows_cannot_hold_are_refused_on_every_system(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("name", ["net", "console", "com10", "whisper.encoder", "ä-1", "yolov8n (2)"])
def test_other_names_are_none_of_them(name: str) -> None:
    assert name_problem(name) == ""
