"""The readable side of a trace: one section for each event, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 6000


def section(event: str, data: Mapping[str, Any]) -> str:
    """The text for one event; empty for those that are for machines only."""
    make = _SECTIONS.get(event)
    return make(data) if make else ""


def _started(data: Mapping[str, Any]) -> str:
    budget = ", ".join(f"{name} {value}" for name, value in data["budget"].items() if value is not None)
    return (
        f"# Agent on {data['model']} for {data['soc']}\n\n"
        f"- goal: {data['goal']['kind']} {data['goal']['rule']}\n- asks: {data['endpoint']}\n- bounds: {budget}\n"
        f"- QAIRT {data['qairt']}\n- confined code is held by {', '.join((*data['enforced'], 'audit hook'))}\n\n"
    )


def _step(data: Mapping[str, Any]) -> str:
    return f"## Step {data['number']}: {data['words']}\n\n"


def _request(data: Mapping[str, Any]) -> str:
    parts = [
        f"### Request {data['number']}: at most {data['prompt_bound']} prompt tokens, "
        f"reply at most {data['max_tokens']}\n\n"
    ]
    for message in data["messages"]:
        parts.append(f"{message['role']}:\n\n{_block(message['content'])}")
        for call in message["calls"]:
            parts.append(f"calls `{call['name']}`:\n\n{_block(call['arguments'])}")
    return "".join(parts)


def _reply(data: Mapping[str, Any]) -> str:
    reply = data["reply"]
    counted = f"{data['prompt']} prompt and {data['completion']} completion tokens"
    recorded = ", recorded" if data.get("recorded") else ""
    text = f"### Reply {data['number']} ({reply['finish']}; {counted}{recorded})\n\n"
    if reply["reasoning"]:
        text += f"reasoning:\n\n{_block(reply['reasoning'])}"
    text += _block(reply["text"]) if reply["text"] else ""
    for call in reply["calls"]:
        text += f"calls `{call['name']}`:\n\n{_block(call['arguments'])}"
    return text + "".join(f"- client: {note}\n" for note in reply["notes"])


def _lost(data: Mapping[str, Any]) -> str:
    return f"No reply: {data['error']}\n\n"


def _tool(data: Mapping[str, Any]) -> str:
    return f"Tool `{data['name']}` answers:\n\n{_block(data['result'])}"


def _proposal(data: Mapping[str, Any]) -> str:
    proposal = data["proposal"]
    diff = _block(data["diff"] or "(cannot be applied)", "diff")
    return f"### Proposal {proposal['number']}: {proposal['title']}\n\n{diff}"


def _gate(data: Mapping[str, Any]) -> str:
    gate = data["gate"]
    attack = f" **attack stopped: {gate['attack']}**" if gate["attack"] else ""
    return f"- {'passed' if gate['ok'] else 'NOT passed'}: {gate['name']}{attack} {gate['words']}\n"


def _verdict(data: Mapping[str, Any]) -> str:
    return f"\nVerdict on proposal {data['verdict']['proposal']}: **{data['words']}**\n\n"


def _question(data: Mapping[str, Any]) -> str:
    return f"Asked of the user: {data['text']}\n\n"


def _answer(data: Mapping[str, Any]) -> str:
    return f"Answer: {data['answer'] or 'none, which counts as no'}\n\n"


def _bound(data: Mapping[str, Any]) -> str:
    return f"**Bound: {data['words']}**\n\n"


def _end_of_run(data: Mapping[str, Any]) -> str:
    report = data["report"]
    usage = report["usage"]
    cost = "not known (no prices)" if usage["cost"] is None else f"{usage['cost']:.4g}"
    return (
        f"## End: {report['stopped']}\n\n{report['words']}\n\n"
        f"- requests: {usage['requests']}, tokens: {usage['prompt']} prompt + {usage['completion']} completion"
        f" ({usage['estimated']} of them estimated), cost: {cost}, seconds: {usage['seconds']}\n"
        + "".join(f"- attack stopped: {item}\n" for item in report["attacks"])
        + "".join(f"- learned: {item}\n" for item in report["learned"])
    )


def _block(text: str, kind: str = "text") -> str:
    shown = text if len(text) <= _MOST else f"{text[:_MOST]}\n[{len(text) - _MOST} more characters in journal.jsonl]"
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{kind}\n{shown.rstrip()}\n{fence}\n\n"


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


_SECTIONS = {
    "started": _started,
    "step": _step,
    "request": _request,
    "reply": _reply,
    "lost": _lost,
    "tool": _tool,
    "proposal": _proposal,
    "gate": _gate,
    "verdict": _verdict,
    "question": _question,
    "answer": _answer,
    "bound": _bound,
    "done": _end_of_run,
}
