"""Record which Python expression makes each node, while PyTorch traces the model.

The exporter's own ``stack_trace`` drops every frame that is not named ``forward``. Here the whole call stack is kept
at the moment the tracer creates a node, as (code object, instruction offset) pairs; columns are looked up later, and
only for stacks that a node still refers to.
"""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import torch
import torch.fx.experimental.proxy_tensor as proxy_tensor

RawFrame = tuple[CodeType, int]
Stack = tuple[RawFrame, ...]
"""Frames, innermost first."""

MARK = "aipc"
_OURS = str(Path(__file__).resolve().parents[1]) + os.sep
_TORCH = str(Path(torch.__file__).resolve().parent) + os.sep
_AROUND = {"padded_forward", "forward_with_state"}
"""Functions of ours that stand around a call of the author's: the author's frames go on behind them."""
_MACHINERY = ("<frozen ", "<string>", "<eval_with_key>")


def _is_recorded(code: CodeType) -> bool:
    name = code.co_filename
    return not name.startswith((_TORCH, _OURS, *_MACHINERY))


def stack_of_frame(frame: FrameType | None) -> Stack:
    """The frames from ``frame`` outwards, up to our own code, without PyTorch's."""
    frames: list[RawFrame] = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_OURS):
            if code.co_name in _AROUND:
                pass
            elif frames or code.co_name in {"trace", "build"}:
                break
        elif _is_recorded(code):
            frames.append((code, frame.f_lasti))
        frame = frame.f_back
    return tuple(frames)


def stack_outside(frame: FrameType | None) -> Stack:
    """The frames around ours, from the one that called us outwards."""
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return stack_of_frame(frame)


class NodeRecorder:
    """While active, every fx node that the tracer creates carries the number of its stack.

    The number is kept in ``node.meta["custom"]``, which survives decompositions, and as the node's ``stack_trace``,
    which becomes metadata of the ONNX node.
    """

    def __init__(self) -> None:
        self.stacks: list[Stack] = []
        self._numbers: dict[Stack, int] = {}

    def number(self, stack: Stack) -> int:
        if stack not in self._numbers:
            self._numbers[stack] = len(self.stacks)
            self.stacks.append(stack)
        return self._numbers[stack]

    def __enter__(self) -> NodeRecorder:
        self._original = original = proxy_tensor._ModuleStackTracer.create_node
        recorder = self

        def create_node(tracer: Any, *args: Any, **kwargs: Any) -> Any:
            node = original(tracer, *args, **kwargs)
            if node.op not in {"placeholder", "output"}:
                # An empty stack counts too: a model all of PyTorch's own modules, known by its construction.
                number = recorder.number(stack_of_frame(sys._getframe(1)))
                node.meta["custom"] = {**(node.meta.get("custom") or {}), MARK: number}
                node.meta["stack_trace"] = f"{MARK}:{number}"
            return node

        proxy_tensor._ModuleStackTracer.create_node = create_node  # type: ignore[method-assign,assignment]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        proxy_tensor._ModuleStackTracer.create_node = self._original  # type: ignore[method-assign]


class ConstructionRecorder:
    """While active, remembers where every ``nn.Module`` was constructed."""

    def __init__(self) -> None:
        self._stacks: weakref.WeakKeyDictionary[torch.nn.Module, Stack] = weakref.WeakKeyDictionary()

    def __enter__(self) -> ConstructionRecorder:
        self._original = original = torch.nn.Module.__init__
        stacks = self._stacks

        def init(module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
            original(module, *args, **kwargs)
            frame: FrameType | None = sys._getframe(1)
            # Leave the constructors of this same object: the expression that called the class is wanted.
            while frame is not None and frame.f_code.co_name == "__init__" and _first_argument(frame) is module:
                frame = frame.f_back
            stacks[module] = stack_of_frame(frame)

        torch.nn.Module.__init__ = init  # type: ignore[assignment]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        torch.nn.Module.__init__ = self._original  # type: ignore[method-assign]

    def stack(self, module: torch.nn.Module) -> Stack:
        return self._stacks.get(module, ())


def _first_argument(frame: FrameType) -> Any:
    code = frame.f_code
    return frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None


def stack_of_traceback(trace: TracebackType | None) -> Stack:
    """The frames of an exception, innermost first, without PyTorch's and ours."""
    frames: list[RawFrame] = []
    while trace is not None:
        if _is_recorded(trace.tb_frame.f_code):
            frames.append((trace.tb_frame.f_code, trace.tb_lasti))
        trace = trace.tb_next
    return tuple(reversed(frames))
