"""A test device: a real OpenSSH server on loopback with its own configuration, keys, home and directory.

As a program it makes a device in a directory and serves until its stdin ends:

    python tests/targets/device.py DIRECTORY [NAME]

Its first line on stdout is a JSON document with what is needed to reach it: an environment whose HOME has a ``~/.ssh``
that knows it as NAME.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class TestDevice:
    """``home`` is the device's, ``client_home`` that of the user who reaches it."""

    __test__ = False

    def __init__(
        self, directory: Path, name: str = "test-device", environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.directory = directory
        self.home = directory / "device home"
        self.client_home = directory / "client"
        self.environment = {"HOME": str(self.home), **(environment or {})}
        self.port = free_port()
        self.ssh = self.client_home / ".ssh"
        self._server: subprocess.Popen[bytes] | None = None
        for path in (self.home, self.ssh, directory / "etc"):
            path.mkdir(parents=True, exist_ok=True)
        self.ssh.chmod(0o700)
        self.key(self.ssh / "id_ed25519")
        self.key(directory / "etc" / "host_key")
        shutil.copyfile(self.ssh / "id_ed25519.pub", directory / "etc" / "authorized_keys")
        self.configure()
        self.know()

    @staticmethod
    def key(path: Path) -> None:
        path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)

    def configure(self) -> None:
        """Write the server's configuration and what the client's says of it."""
        etc = self.directory / "etc"
        variables = " ".join(f'{name}="{value}"' for name, value in self.environment.items())
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f'HostKey "{etc / "host_key"}"',
            f'AuthorizedKeysFile "{etc / "authorized_keys"}"',
            f'PidFile "{etc / "sshd.pid"}"',
            "StrictModes no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "PermitRootLogin yes",
            "MaxStartups 100",
            "MaxSessions 100",
            f"SetEnv {variables}",
        ]
        (etc / "sshd_config").write_text("\n".join(lines) + "\n")
        self.reach(self.port)

    def reach(self, port: int) -> None:
        """Let the client reach the device by another port (a proxy's)."""
        self._reached = port
        user = pwd.getpwuid(os.getuid()).pw_name
        (self.ssh / "config").write_text(
            f"Host {self.name}\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n"
            f"  IdentityFile ~/.ssh/id_ed25519\n  HostKeyAlias {self.name}\n"
        )

    def know(self, key: Path | None = None) -> None:
        """Put the host's key among the client's known hosts."""
        words = (key or self.directory / "etc" / "host_key.pub").read_text().split()
        (self.ssh / "known_hosts").write_text(f"{self.name} {words[0]} {words[1]}\n")

    def start(self) -> None:
        assert SSHD, "openssh-server is not installed"
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(parents=True, exist_ok=True)
        log = (self.directory / "etc" / "log").open("ab")
        command = [SSHD, "-D", "-e", "-f", str(self.directory / "etc" / "sshd_config")]
        self._server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.directory / "etc" / "log").read_text())

    def processes(self, word: str = "") -> list[psutil.Process]:
        """What runs on the device: everything below its sshd, and what still has its home in the environment."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.environ().get("HOME") == str(self.home):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return [process for process in found if word in " ".join(_command(process))]

    @contextmanager
    def with_environment(self, **variables: str) -> Iterator[None]:
        """Restart the device with more variables in its environment, and without them afterwards."""
        before, port = dict(self.environment), self._reached
        self.environment |= variables
        self._restart(port)
        try:
            yield
        finally:
            self.environment = before
            self._restart(port)

    def _restart(self, port: int) -> None:
        self.configure()
        self.reach(port)
        self.reboot()

    def power_off(self) -> None:
        """Everything on the device ends at once, without a word."""
        if self._server is None:
            return
        try:
            server = psutil.Process(self._server.pid)
            everything = [server, *server.children(recursive=True)]
        except psutil.Error:
            everything = []
        for process in [*everything, *self.processes()]:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue
        self._server.wait()
        self._server = None

    def reboot(self) -> None:
        self.power_off()
        self.start()

    def __enter__(self) -> TestDevice:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.power_off()

    def client_environment(self) -> dict[str, str]:
        """For a process of the user: only ssh sees another home."""
        home = Path.home()
        cache = os.environ.get("XDG_CACHE_HOME") or str(home / ".cache")
        config = os.environ.get("XDG_CONFIG_HOME") or str(home / ".config")
        return {"HOME": str(self.client_home), "XDG_CACHE_HOME": cache, "XDG_CONFIG_HOME": config, "SSH_AUTH_SOCK": ""}

    @property
    def target(self) -> str:
        return f"ssh:{self.name}"

    @property
    def base(self) -> Path:
        return self.home / ".aipc"

    def declare(self, soc: str | None) -> None:
        """Have the device say which chip it is."""
        self.base.mkdir(exist_ok=True)
        path = self.base / "device.json"
        if soc is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(json.dumps({"soc": soc}))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


if __name__ == "__main__":
    with TestDevice(Path(sys.argv[1]).resolve(), *sys.argv[2:3]) as device:
        told = {"environment": device.client_environment(), "target": device.target, "base": str(device.base)}
        print(json.dumps(told), flush=True)
        sys.stdin.read()
