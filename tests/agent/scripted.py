"""An OpenAI-compatible endpoint on loopback that plays a script: ``python -m tests.agent.scripted PORT TRAJECTORY``.

Each step answers one request. It is a reply as traces hold them, or a function of the request that answers with one of
the things below.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Says:
    """A reply. ``prompt`` and ``completion``: what the endpoint counts; None: it counts nothing."""

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    finish: str = ""
    prompt: int | None = 100
    completion: int | None = 20
    reasoning: str = ""
    refusal: str = ""
    breaks_off: bool = False
    pause: float = 0.0


@dataclass(frozen=True)
class Fails:
    status: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)


Step = Says | Fails | Callable[[dict[str, Any]], "Says | Fails"]


def call(name: str, **arguments: Any) -> Says:
    return Says(calls=((name, arguments),))


def patch(title: str, *edits: tuple[str, str], file: str = "model.py") -> Says:
    listed = [{"file": file, "old": old, "new": new} for old, new in edits]
    return call("try_patch", title=title, edits=listed)


class Script:
    """What is played, and what was asked. After the last step, its last answer comes again."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._lock = threading.Lock()

    def next(self, request: dict[str, Any], key: str) -> Says | Fails:
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.keys.append(key)
        step = self.steps[min(number, len(self.steps) - 1)]
        return step(request) if callable(step) else step


@contextmanager
def served(*steps: Step, port: int = 0) -> Iterator[tuple[str, Script]]:
    """The URL of the endpoint, and its script."""
    script = Script(steps)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(script))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", script
    finally:
        server.shutdown()
        server.server_close()


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = script.next(request, self.headers.get("authorization", ""))
            if isinstance(answer, Fails):
                self._send(answer.status, {"error": {"message": answer.message}}, answer.headers)
            elif request.get("stream"):
                self._stream(answer, request)
            else:
                self._send(200, _whole(answer))

        def _send(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, answer: Says, request: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            try:
                for chunk in _chunks(answer, bool(request.get("stream_options", {}).get("include_usage"))):
                    self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                    self.wfile.flush()
                    time.sleep(answer.pause)
                if not answer.breaks_off:
                    self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                pass  # the client has heard enough
            self.close_connection = True

    return Handler


def _finish(answer: Says) -> str:
    return answer.finish or ("tool_calls" if answer.calls else "stop")


def _usage(answer: Says) -> dict[str, int] | None:
    if answer.prompt is None or answer.completion is None:
        return None
    total = answer.prompt + answer.completion
    return {"prompt_tokens": answer.prompt, "completion_tokens": answer.completion, "total_tokens": total}


def _calls(answer: Says) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": f"call-{index}",
            "type": "function",
            "function": {"name": name, "arguments": said if isinstance(said, str) else json.dumps(said)},
        }
        for index, (name, said) in enumerate(answer.calls)
    ]


def _whole(answer: Says) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.calls:
        message["tool_calls"] = _calls(answer)
    if answer.refusal:
        message["refusal"] = answer.refusal
    choice = {"index": 0, "message": message, "finish_reason": _finish(answer)}
    document = {"id": "x", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]}
    return {**document, "usage": _usage(answer)}


def _chunks(answer: Says, with_usage: bool) -> Iterator[dict[str, Any]]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}

    for piece in _pieces(answer.reasoning):
        yield chunk({"reasoning_content": piece})
    for piece in _pieces(answer.text):
        yield chunk({"content": piece})
    if answer.refusal:
        yield chunk({"refusal": answer.refusal})
    for item in _calls(answer):
        whole = item["function"]["arguments"]
        yield chunk({"tool_calls": [{**item, "function": {"name": item["function"]["name"], "arguments": ""}}]})
        for piece in _pieces(whole):
            yield chunk({"tool_calls": [{"index": item["index"], "function": {"arguments": piece}}]})
    if answer.breaks_off:
        return
    yield chunk({}, _finish(answer))
    if with_usage and _usage(answer):
        yield {**chunk({}), "choices": [], "usage": _usage(answer)}


def _pieces(text: str, size: int = 24) -> Iterator[str]:
    yield from (text[start : start + size] for start in range(0, len(text), size))


def of_trajectory(path: Path, pause: float = 0.0) -> list[Step]:
    """The replies of a trace as steps."""
    steps: list[Step] = []
    for line in path.read_text("utf-8").splitlines():
        event = json.loads(line)
        if event.get("event") == "reply":
            reply = event["reply"]
            calls = tuple((item["name"], item["arguments"]) for item in reply["calls"])
            steps.append(Says(reply["text"], calls, reasoning=reply.get("reasoning", ""), pause=pause))
    return steps


def counting(step: Says) -> Step:
    """The reply, its tokens counted as an endpoint would whose tokens are four bytes each."""

    def answer(request: dict[str, Any]) -> Says:
        prompt = (len(json.dumps(request["messages"])) + len(json.dumps(request.get("tools", [])))) // 4
        completion = (len(step.text) + sum(len(json.dumps(item)) for item in step.calls)) // 4
        return replace(step, prompt=prompt, completion=completion)

    return answer


if __name__ == "__main__":
    with served(*of_trajectory(Path(sys.argv[2]), pause=0.02), port=int(sys.argv[1])) as (address, _):
        print(address, flush=True)
        threading.Event().wait()
