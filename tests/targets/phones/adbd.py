"""The device's side of ADB's protocol over TCP, so that Debian's real ``adb`` talks to it as to a phone.

Messages and services are those of Android's own description (packages/modules/adb: protocol.txt, SERVICES.TXT): a
message has a header of six words (command, two arguments, length, checksum, inverted command); streams are opened by
OPEN, acknowledged by OKAY, carry WRTE with one unacknowledged write at a time, and end with CLSE.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

CNXN, AUTH, OPEN, OKAY, CLSE, WRTE = (
    int.from_bytes(name, "little") for name in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"CLSE", b"WRTE")
)
VERSION = 0x01000001
"""The version without checksums."""
MAX_DATA = 256 * 1024
TOKEN, SIGNATURE, PUBLIC_KEY = 1, 2, 3


class Stream:
    """One opened service, from the device's side."""

    def __init__(self, connection: Connection, local: int, remote: int) -> None:
        self._connection, self.local, self.remote = connection, local, remote
        self._incoming: queue.Queue[bytes | None] = queue.Queue()
        self._rest = b""
        self._ready = threading.Semaphore(1)
        self.closed = threading.Event()
        self.on_close: Callable[[], None] = lambda: None

    def take(self, data: bytes) -> None:
        self._incoming.put(data)

    def acknowledged(self) -> None:
        self._ready.release()

    def read_some(self) -> bytes:
        """The next bytes that the host sent, b"" at the end."""
        data = self._incoming.get()
        if data is None:
            self._incoming.put(None)
            return b""
        return data

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes; EOFError when the stream ends before."""
        while len(self._rest) < count:
            data = self.read_some()
            if not data:
                raise EOFError("the host closed the stream")
            self._rest += data
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), self._connection.max_data):
            self._ready.acquire()
            if self.closed.is_set():
                raise EOFError("the host closed the stream")
            self._connection.send(WRTE, self.local, self.remote, data[start : start + self._connection.max_data])

    def close(self) -> None:
        if not self.closed.is_set():
            self._connection.send(CLSE, self.local, self.remote)
            self.ended()

    def ended(self) -> None:
        """The stream is over, whoever closed it."""
        if self.closed.is_set():
            return
        self.closed.set()
        self._incoming.put(None)
        self._ready.release()
        self.on_close()


@dataclass
class Connection:
    """One TCP connection of an ADB server."""

    sock: socket.socket
    serve: Callable[[str, Stream], None]
    banner: str
    allowed: threading.Event
    answering: threading.Event
    received: Callable[[int], None] = lambda count: None
    max_data: int = 4096
    streams: dict[int, Stream] = field(default_factory=dict)
    _write_lock: threading.Lock = field(default_factory=threading.Lock)
    _next: int = 1

    def send(self, command: int, first: int, second: int, data: bytes = b"") -> None:
        header = struct.pack("<6I", command, first, second, len(data), 0, command ^ 0xFFFFFFFF)
        with self._write_lock, contextlib.suppress(OSError):
            self.sock.sendall(header + data)

    def run(self) -> None:
        try:
            while True:
                command, first, second, size, _, magic = struct.unpack("<6I", self._exactly(24))
                assert magic == command ^ 0xFFFFFFFF, "a header that is none"
                self._message(command, first, second, self._exactly(size))
        except (OSError, EOFError):
            pass
        finally:
            self.drop()

    def drop(self) -> None:
        """The cable is out."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for stream in list(self.streams.values()):
            stream.ended()

    def welcome(self) -> None:
        self.send(CNXN, VERSION, MAX_DATA, self.banner.encode())

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            data = self.sock.recv(min(count, 1 << 16))
            if not data:
                raise EOFError
            parts.append(data)
            count -= len(data)
        return b"".join(parts)

    def _message(self, command: int, first: int, second: int, data: bytes) -> None:
        if command == CNXN:
            self.max_data = min(second, MAX_DATA)
            if not self.answering.is_set():
                return
            if self.allowed.is_set():
                self.welcome()
            else:
                self.send(AUTH, TOKEN, 0, bytes(20))
        elif command == AUTH:
            # A signature by an unknown key: ask again; a public key: it is the user's turn.
            if first == SIGNATURE:
                self.send(AUTH, TOKEN, 0, bytes(20))
        elif command == OPEN:
            stream = Stream(self, self._next, first)
            self._next += 1
            self.streams[stream.local] = stream
            service = data.rstrip(b"\0").decode("utf-8")
            threading.Thread(target=self._serve, args=(service, stream), daemon=True).start()
        elif command == WRTE and second in self.streams:
            self.streams[second].take(data)
            self.send(OKAY, second, first)
            self.received(len(data))
        elif command == OKAY and second in self.streams:
            self.streams[second].acknowledged()
        elif command == CLSE and (stream := self.streams.pop(second, None)):
            stream.ended()

    def _serve(self, service: str, stream: Stream) -> None:
        self.send(OKAY, stream.local, stream.remote)
        with contextlib.suppress(EOFError, OSError):
            self.serve(service, stream)
        stream.close()
        self.streams.pop(stream.local, None)


class Adbd:
    """Listens on a port of its own of the loopback. ``unplug`` drops every connection and takes no new one."""

    def __init__(self, serve: Callable[[str, Stream], None], banner: str) -> None:
        self._serve, self._banner = serve, banner
        self.allowed, self.answering = threading.Event(), threading.Event()
        self.allowed.set()
        self.answering.set()
        self.received: Callable[[int], None] = lambda count: None
        self._connections: list[Connection] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.plug()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def plug(self) -> None:
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def unplug(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.drop()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                connection = Connection(
                    sock,
                    self._serve,
                    self._banner,
                    self.allowed,
                    self.answering,
                    lambda count: self.received(count),
                )
                self._connections.append(connection)
                threading.Thread(target=connection.run, daemon=True).start()
