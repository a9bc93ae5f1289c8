"""A TCP proxy between the client and a test device, which on cue cuts, falls silent, delays or throttles."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Proxy:
    """Serves on ``port``. ``rate`` is bytes a second in each direction, ``delay`` seconds for each piece."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.rate = 0.0
        self.delay = 0.0
        self.carried = 0
        self.cut_after: int | None = None
        self._silent = threading.Event()
        self._refusing = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                _reset(client)
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(4096 if self.rate else 65536):
                while self._silent.is_set():
                    time.sleep(0.05)
                if self.rate:
                    time.sleep(len(data) / self.rate)
                if self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
                self.carried += len(data)
                if self.cut_after is not None and self.carried >= self.cut_after:
                    self.cut_after = None
                    self.cut()
        except OSError:
            pass
        finally:
            for one in (source, sink):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """The cable is pulled: every connection ends at once, new ones are refused until ``mend``."""
        self._refusing = True
        for pair in self._pairs:
            for one in pair:
                _reset(one)
        self._pairs.clear()

    def blackhole(self) -> None:
        """The network swallows everything: nothing arrives and nobody is told."""
        self._silent.set()

    def mend(self) -> None:
        self._refusing = False
        if self._silent.is_set():
            self.drop()
        self._silent.clear()
        self.rate = self.delay = 0.0
        self.cut_after = None

    def drop(self) -> None:
        """End what is open, without refusing what comes next."""
        for pair in self._pairs:
            for one in pair:
                _reset(one)
        self._pairs.clear()

    def close(self) -> None:
        self._listener.close()
        self.drop()


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        one.close()
