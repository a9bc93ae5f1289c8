"""Connecting by ssh: the user's own configuration, agent and known hosts; what goes wrong in words.

Host keys are checked against the known hosts and never accepted here. The one command that reaches the device's shell
is a constant: everything else travels as data.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipc.core.errors import MissingDependencyError

from .base import DeviceError

if TYPE_CHECKING:
    import asyncssh

_REMOTE = Path(__file__).with_name("remote")
BOOT = "import sys,json;exec(json.loads(sys.stdin.buffer.readline()))"
# In double quotes, without $ and `: read alike by sh, cmd.exe and PowerShell.
PYTHONS = (f'python3 -u -c "{BOOT}"', f'python -u -c "{BOOT}"', f'py -3 -u -c "{BOOT}"')
_NAME = re.compile(r"(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.@+-]*)@)?(?P<host>[A-Za-z0-9_.:\[\]%][A-Za-z0-9_.:\[\]%-]*)$")


def parse(name: str) -> tuple[str, str | None, int | None]:
    """Host, user and port of ``ssh:[user@]host[:port]``. Raises DeviceError for what cannot be a host's name.

    Names are used in the expansions of the user's ssh configuration (``ProxyCommand``): anything that a shell could
    take for more than a name is refused.
    """
    text = name.partition(":")[2]
    match = _NAME.match(text)
    if not match or ".." in text:
        raise DeviceError(f"{text!r} is not the name of a host", remedy="name it as in ~/.ssh/config: ssh:HOST")
    host, port = match["host"], None
    head, colon, tail = host.rpartition(":")
    if colon and tail.isdigit() and (":" not in head or head.endswith("]")):
        host, port = head, int(tail)
    return host.strip("[]"), match["user"], port


async def connect(name: str, settings: Mapping[str, Any]) -> asyncssh.SSHClientConnection:
    """An open, checked and authenticated connection. Raises DeviceError that says what to do."""
    try:
        import asyncssh
    except ImportError as error:
        raise MissingDependencyError("asyncssh is not installed", remedy="run pip install asyncssh") from error

    host, user, port = parse(name)
    more: dict[str, Any] = {} if user is None else {"username": user}
    if port is not None:
        more["port"] = port
    seconds = float(settings.get("connect_seconds", 20))
    witness = _witness()
    try:
        more |= {"connect_timeout": seconds, "login_timeout": seconds, "client_factory": lambda: witness}
        options = await asyncssh.SSHClientConnectionOptions.construct(host=host, **more)
        # `UserKnownHostsFile none` would have asyncssh check nothing; OpenSSH would ask, and nobody can be asked here.
        known = options.known_hosts or str(Path("~/.ssh/known_hosts").expanduser())
        witness.known = more["known_hosts"] = known if _readable(known) else b""
        try:
            return await asyncio.wait_for(asyncssh.connect(host, **more), seconds + 10)
        except FileNotFoundError:
            # A key of the configuration that is not there: like OpenSSH, go on with the agent and the usual files.
            more["client_keys"] = []
            return await asyncio.wait_for(asyncssh.connect(host, **more), seconds + 10)
    except asyncssh.HostKeyNotVerifiable as error:
        raise _host_key(host, witness, str(error)) from error
    except asyncssh.PermissionDenied as error:
        raise DeviceError(
            f"{host} accepts none of your keys",
            remedy=f"try `ssh {host}`; load your key with ssh-add, or bring it there with ssh-copy-id {host}",
            detail=str(error),
        ) from error
    except (asyncssh.ConfigParseError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise DeviceError(
            f"your ssh configuration or a key of it cannot be read: {error}", remedy="correct it"
        ) from error
    except asyncssh.KeyExchangeFailed as error:
        raise DeviceError(
            f"{host} and this computer have no common way to speak: {error}", remedy="update ssh"
        ) from error
    except socket.gaierror as error:
        raise DeviceError(
            f"there is no host {host}", remedy="name it as in ~/.ssh/config, or by its address"
        ) from error
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise DeviceError(f"{host} does not answer", remedy="check that it is on and reachable") from error
    except (OSError, asyncssh.Error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DeviceError(
            f"{host} cannot be reached: {reason}", remedy="check that it is on and that sshd runs"
        ) from error


def _readable(known: Any) -> bool:
    """Whether known hosts are there: a file that is not is like one that is empty."""
    return Path(known).is_file() if isinstance(known, str) else True


async def start_helper(
    connection: asyncssh.SSHClientConnection, settings: Mapping[str, Any]
) -> asyncssh.SSHClientProcess[bytes]:
    """The helper, running on the device under the first Python that is there. Raises DeviceError when there is none."""
    import asyncssh

    program = "\n".join((_REMOTE / name).read_text("utf-8") for name in ("facts.py", "programs.py", "helper.py"))
    source = json.dumps(program).encode("ascii") + b"\n"
    wanted = {key: settings[key] for key in ("directory", "silence", "npu_files", "python") if key in settings}
    message = ""
    for command in PYTHONS:
        try:
            process = await connection.create_process(command, encoding=None, stderr=asyncssh.PIPE)
            # A shell that has no such program may be gone already; then it has said so, which is read below.
            with suppress(OSError):
                process.stdin.write(source + json.dumps(wanted).encode("ascii") + b"\n")
                process.stdin.write(json.dumps({"id": 0, "do": "ping"}).encode("ascii") + b"\n")
            line = await asyncio.wait_for(process.stdout.readline(), float(settings.get("connect_seconds", 20)) + 10)
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise DeviceError("the device's Python does not start", remedy="look at it with ssh") from error
        except (OSError, asyncssh.Error) as error:
            raise DeviceError(
                f"the connection was cut while the helper started: {error}", remedy="run again"
            ) from error
        if line:
            return process
        error_text = await _error_text(process)
        if connection.is_closed():
            raise DeviceError("the connection was cut while the helper started", remedy="run again")
        message = message or error_text
    raise DeviceError(
        "the device has no Python 3.8 or newer",
        remedy="install one (Debian and Ubuntu: sudo apt install python3; Windows: from python.org, for ARM64)",
        detail=message,
    )


async def _error_text(process: asyncssh.SSHClientProcess[bytes]) -> str:
    try:
        text = await asyncio.wait_for(process.stderr.read(4000), 5)
    except Exception:
        return ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _witness() -> Any:
    """The client's side of a connection: it remembers the key of a host that is not known, and accepts none."""
    import asyncssh

    class Client(asyncssh.SSHClient):
        known: Any = b""
        key: Any = None
        place: tuple[str, str, int] = ("", "", 22)

        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            self.key, self.place = key, (host, addr, port)
            return False

    return Client()


def _host_key(host: str, witness: Any, reason: str) -> DeviceError:
    """The standard warning when a host's key has changed; else how to make its acquaintance."""
    import asyncssh

    key = witness.key
    if key is None:
        return DeviceError(f"the key of {host} cannot be verified: {reason}", remedy=f"connect once with `ssh {host}`")
    print_of_key = f"{key.get_algorithm()} {key.get_fingerprint()}"
    try:
        known = asyncssh.match_known_hosts(witness.known, *witness.place)[0]
    except (OSError, ValueError):
        known = ()
    if known:
        return HostKeyChangedError(
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY! "
            f"The key of {host} is now {print_of_key} and your known hosts have another",
            remedy=f"ask whoever runs it; only if the change is meant, remove the old key with ssh-keygen -R {host}",
        )
    return DeviceError(
        f"the host {host} is not known here; its key is {print_of_key}",
        remedy=f"connect once with `ssh {host}`, compare the key and accept it there",
    )


class HostKeyChangedError(DeviceError):
    """The host has another key than the known hosts say."""
