"""Read the native QNN log: why a node was refused, which node could not be finalized, what 1002 really was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .log_capture import LogLine

UNINFORMATIVE = "Failed to add node."

_NODE = re.compile(
    r"Operator type: (?P<type>\S+) Node name: (?P<name>.*?) Node index: \d+(?:\s*REASON : (?P<reason>.*))?",
    re.S,
)
_GENERATED = re.compile(r'"(?P<node>[^"]+)" generated: (?P<words>[^\n]+)')
# QNN's own error lines arrive with onnxruntime's lowest severity; the letter tells.
_ERROR = re.compile(r"\s*<E>\s*(?P<words>.+)", re.S)
# What stands behind QNN_COMMON_ERROR_MEM_ALLOC (1002), most telling first.
_FINALIZE_CAUSES = (
    re.compile(r"Operator named [^\n]*not sufficiently tiled to fit in TCM[^\n]*"),
    re.compile(r"DDR-tensor memory pool is too big[^\n]*"),
    re.compile(r"graph requires estimated allocation of[^\n]*limit[^\n]*"),
    re.compile(r"The SocModel doesn't support FP16[^\n]*"),
    re.compile(r"could not create op[^\n]*"),
    re.compile(r"::ERROR:[^\n]*"),
)
# Lines that say only that something was said before, or where else to look.
_NOISE = re.compile(r"QnnBackend_validateOpConfig failed|Failed to validate op|Please refer to the '")
_DATATYPES = re.compile(r"Unsupported input/output datatypes requested for the HTP Op '(?P<op>[^']+)'")
_REQUESTED = re.compile(r"(\w+\[\d+\]):QNN_DATATYPE_(\w+)")
_CONFIGURATION = re.compile(r"Supported I/O datatype sets for the configuration: (\w+)")
_TENSOR = re.compile(r"^\s*name=(\S+) id=", re.MULTILINE)
_TOKEN = re.compile(r"_token_\d+(?:_\d+)*$")


def refusals(lines: Sequence[LogLine]) -> dict[str, str]:
    """Node name -> QAIRT's reason for refusing it, from the validation lines of the verbose log.

    Where the reason is only ``Failed to add node.``, the error lines before it hold the cause.
    """
    reasons: dict[str, str] = {}
    errors: list[str] = []
    for line in lines:
        if "LogNodeSupport" not in line.location:
            if match := _ERROR.match(line.message):
                errors.append(match["words"].strip())
            continue
        for match in _NODE.finditer(line.message):
            reason = (match["reason"] or "").strip()
            if not reason:
                continue
            if is_uninformative(reason) and errors:
                reason = _cause(errors) or reason
            reasons.setdefault(match["name"].strip(), reason)
        errors.clear()
    return reasons


def is_uninformative(reason: str) -> bool:
    """Whether a reason says only that a node failed: ``Failed to add node.``, ``Failed to add (Log)Softmax node.``"""
    return reason.startswith(("Failed to add ", "Failed to create "))


def _cause(errors: Sequence[str]) -> str:
    """The telling ones of the error lines before a refusal."""
    telling = list(dict.fromkeys(line for line in errors if not _NOISE.match(line)))
    mismatch = next((match for line in telling if (match := _DATATYPES.match(line))), None)
    if mismatch is None:
        return " / ".join(telling[-3:])
    requested = next((line for line in telling if line.startswith("Requested I/O datatype set")), "")
    requests = ", ".join(f"{name} {dtype}" for name, dtype in _REQUESTED.findall(requested))
    configurations = ", ".join(dict.fromkeys(match[1] for line in telling if (match := _CONFIGURATION.match(line))))
    return f"{mismatch.group(0)}: {requests}; supported configurations: {configurations}"


def finalize_failures(lines: Iterable[LogLine], names: Mapping[str, object]) -> dict[str, str]:
    """Node name -> the compiler's words, for nodes that it names when finalizing fails."""
    failures: dict[str, str] = {}
    for line in lines:
        for match in _GENERATED.finditer(line.message):
            if node := resolve(match["node"], names):
                failures.setdefault(node, match.group(0))
    return failures


def finalize_cause(lines: Sequence[LogLine]) -> str | None:
    """The most telling sentence of a failed finalize, None when the log is silent."""
    text = "\n".join(line.message for line in lines)
    return next((match.group(0).strip() for cause in _FINALIZE_CAUSES if (match := cause.search(text))), None)


def inputs_of(lines: Sequence[LogLine], node: str) -> tuple[str, ...]:
    """The tensors that a node reads, as QNN's provider calls them."""
    start = f"Qnn_OpConfig node name: {node} "
    for line in lines:
        if line.message.startswith(start):
            described = line.message.partition("node_inputs:")[2].partition("node_outputs:")[0]
            return tuple(_TENSOR.findall(described))
    return ()


def resolve(name: str, names: Mapping[str, object]) -> str | None:
    """The graph's node that a name of QNN's (``X_token_3``, ``X/MatMulAddFusion``, ``X_new_reshape``) stands for."""
    if name in names:
        return name
    stripped = _TOKEN.sub("", name)
    if stripped in names:
        return stripped
    best = [known for known in names if name.startswith(known) and name[len(known) : len(known) + 1] in {"_", "/", ":"}]
    return max(best, key=len, default=None)
