"""A language server under random edits, requests at impossible positions and documents of strange places."""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from random import Random
from typing import Any

from ..harness import MODEL, STRANGE_VALUES, Kind, Shared

MOST = 2**31 - 1
"""The largest number that the protocol has. pygls leaves requests unanswered that are not of the protocol."""
REQUESTS = ("hover", "codeLens", "codeAction", "inlayHint", "documentSymbol", "definition")
PLACES = ("{root}/model.py", "{root}/a b/é +.py", "untitled:Untitled-1", "http://example.org/a.py", "{root}/😀.py")


class Server:
    """One server for many trials; started again where it died."""

    def __init__(self, shared: Shared) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aipc.lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=shared.environment,
            cwd=shared.project,
        )
        self.errors: list[str] = []
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()
        root = shared.project.as_uri()
        options = {"settings": {"soc": "sm8650"}, "trusted": False}
        self.request(
            "initialize",
            {"processId": os.getpid(), "rootUri": root, "capabilities": {}, "initializationOptions": options},
        )
        self.send("initialized", {})
        atexit.register(self._process.kill)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, method: str, parameters: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": parameters}
        content = json.dumps(message | ({"id": number} if number is not None else {})).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def request(self, method: str, parameters: Any, seconds: float = 30) -> dict[str, Any]:
        self._number += 1
        self.send(method, parameters, self._number)
        while True:
            answer = self._answers.get(timeout=seconds)
            if answer.get("id") == self._number and "method" not in answer:
                return answer

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream
        while line := stream.readline():
            length = int(line.split(b":")[1])
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            if "id" in message and "method" in message:
                self.send_answer(message["id"])
            self._answers.put(message)

    def send_answer(self, number: Any) -> None:
        content = json.dumps({"jsonrpc": "2.0", "id": number, "result": None}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.errors.append(line.decode("utf-8", "replace"))


_servers: dict[Path, Server] = {}


def trial(random: Random, place: Path, shared: Shared) -> str:
    server = _servers.get(shared.root)
    if server is None or not server.alive:
        server = _servers[shared.root] = Server(shared)
    uri = random.choice(PLACES).replace("{root}", shared.project.as_uri())
    text = MODEL + "\n# ä 😀\r\n\f"
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    server.send("textDocument/didOpen", {"textDocument": document})
    for version in range(2, 2 + random.randrange(1, 12)):
        start = {"line": random.randrange(30), "character": random.randrange(80)}
        end = random.choice([start, {"line": start["line"] + random.randrange(3), "character": random.randrange(80)}])
        change = {"range": {"start": start, "end": end}, "text": _typed(random)}
        server.send(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
        )
    problem = ""
    for name in random.sample(REQUESTS, 2):
        position = {"line": random.choice([0, 5, 10**6, MOST]), "character": random.choice([0, 7, MOST])}
        parameters = {
            "textDocument": {"uri": uri},
            "position": position,
            "range": {"start": position, "end": position},
            "context": {"diagnostics": []},
        }
        try:
            answer = server.request(f"textDocument/{name}", parameters)
        except queue.Empty:
            problem = problem or f"{name} is not answered (alive: {server.alive})"
            continue
        # -32601: not a method of this server; -32602: such a position does not exist in the protocol.
        if "error" in answer and answer["error"]["code"] not in (-32601, -32602):
            problem = problem or f"{name}: {answer['error']}"
    if random.random() < 0.1:
        command = {
            "command": random.choice(["aipc.server.check", "no.such"]),
            "arguments": [random.choice(STRANGE_VALUES)],
        }
        server.request("workspace/executeCommand", command)
    server.send("textDocument/didClose", {"textDocument": {"uri": uri}})
    return problem or ("" if server.alive else f"the server died: {server.errors[-5:]}")


def _typed(random: Random) -> str:
    return random.choice(
        ["", "x", "\n", "(", '"""', "torch.", "  ", "😀", "\r\n", "F.pad(x, ", "class A(nn.Module):", "\t"]
    )


KIND = Kind(name="lsp", trial=trial, most=1500)
