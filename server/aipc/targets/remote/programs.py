"""Starting programs on a device: they end with this process. Valid on Python 3.8 and later (see ``helper.py``)."""

import ctypes
import os
import signal
import subprocess
import sys
import threading

WINDOWS = sys.platform == "win32"
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PROGRESS = b"progress: "


class Refused(Exception):
    """Told to the other side: (kind, words)."""


class Programs:
    """Of :class:`Helper`: ``base`` and ``children`` are its own."""

    def start(self, command, seconds, on_line=None):
        """Run a program to its end; it ends with this process, however that ends.

        ``on_line`` is called with what follows ``progress: `` in the lines of its stderr, while it runs.
        """
        environment = dict(os.environ, PYTHONUNBUFFERED="1", PYTHONDONTWRITEBYTECODE="1", PYTHONUTF8="1")
        group = {} if WINDOWS else {"start_new_session": True, "preexec_fn": die_with_parent}
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=self.base,
            **group,
        )
        self.children.add(process)
        try:
            # stdin stays open, and with it the process: it ends itself when this one is gone.
            texts = {}
            readers = [
                threading.Thread(target=lambda: texts.__setitem__("stdout", process.stdout.read())),
                threading.Thread(target=lambda: texts.__setitem__("stderr", listen(process.stderr, on_line))),
            ]
            for reader in readers:
                reader.start()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                kill(process)
                raise Refused("time", "it did not end within %d s and was stopped" % seconds)
            for reader in readers:
                reader.join(10)
        finally:
            self.children.discard(process)
            process.stdin.close()
        return {
            "status": process.returncode,
            "stdout": texts.get("stdout", b"").decode("utf-8", "replace"),
            "stderr": texts.get("stderr", b"").decode("utf-8", "replace")[-20000:],
        }

    def output(self, command, seconds):
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds
        ).stdout.decode("utf-8", "replace")

    def end_children(self):
        for process in list(self.children):
            kill(process)


def listen(stream, on_line):
    """The lines of a stream but those of progress, which are told as they come."""
    lines = []
    for line in iter(stream.readline, b""):
        if on_line and line.startswith(PROGRESS):
            on_line(line[len(PROGRESS) :].decode("ascii", "replace").strip())
        else:
            lines.append(line)
    return b"".join(lines)


def die_with_parent():
    """On Linux the kernel ends a program whose parent was killed; runners elsewhere see the end of their stdin."""
    if LIBC is not None:
        LIBC.prctl(1, signal.SIGKILL)


def kill(process):
    try:
        if WINDOWS:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        pass
