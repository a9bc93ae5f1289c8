"""From QAIRT's own words to a sentence in the author's terms, a rule code and what can be done.

This table phrases answers that QAIRT gave; it decides nothing. Words that it does not know are passed on as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aipc.core.types import Placement

from .soc import SoC


@dataclass(frozen=True, slots=True)
class Explanation:
    rule: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: re.Pattern[str]
    rule: str
    message: str
    """``{op}`` is the ONNX operator, ``{soc}`` the SoC, ``{0}`` ... the pattern's groups."""
    remedy: str = ""


def _phrase(pattern: str, rule: str, message: str, remedy: str = "") -> _Phrase:
    return _Phrase(re.compile(pattern, re.I), rule, message, remedy)


_ON_CPU = " and runs on the CPU"
_FP16 = "fp16-unsupported"
_QUANTIZE = "quantize the model (w8a8 or w8a16) or choose a SoC with fp16"
_NO_INTEGERS = "write the expression in another form, choose a SoC with fp16, or leave it on the CPU (--allow-cpu)"

_PHRASES = (
    _phrase(
        r"SocModel doesn't support FP16|FP16 is not supported",
        _FP16,
        "{soc} does not compute in fp16, so {op} runs there only quantized",
        _QUANTIZE,
    ),
    _phrase(
        r"Einsum unsupported equation: (.+)",
        "einsum",
        "einsum with the equation {0} has no NPU operator and runs on the CPU",
        "write it with transpose, reshape and matmul",
    ),
    _phrase(
        r"LayerNorm on HTP only supports normalization along the last axis",
        "layernorm-axes",
        "LayerNorm runs on the NPU only over the last axis; this one spans other axes and runs on the CPU",
        "flatten the normalized axes into one before, or write the mean and variance out",
    ),
    _phrase(
        r"BatchNorm only supports input ranks of size <= (\d+)",
        "batchnorm-rank",
        "batch normalization runs on the NPU only up to rank {0}; this one has more and runs on the CPU",
        "fold the extra dimensions into the batch before it",
    ),
    _phrase(
        r"Pad mode only support constant",
        "pad-mode",
        "this padding mode has no NPU operator (only constant padding has) and runs on the CPU",
        "build the padding with slices and concatenation",
    ),
    _phrase(
        r"Operators of type `?(\w+)`? are not supported",
        "unsupported-operator",
        "the ONNX operator {0} has no counterpart on the NPU and runs on the CPU",
        "express it with operators that have one",
    ),
    _phrase(
        r"com\.ms\.internal\.nhwc was inserted using the NHWC format",
        "layout-abort",
        "QAIRT refuses to open the whole model because of this {op}: it asks for another memory layout of it "
        "and then does not take it",
        "give the operator a rank-4 input or leave it out of the NPU part",
    ),
    _phrase(
        r"has incorrect Rank (\d+)|rank > 5|Rank (\d+) .*not supported",
        "rank",
        "{op} works on a tensor with more dimensions than the NPU takes (it takes at most 5)",
        "reshape to fewer dimensions before it",
    ),
    _phrase(
        r"not sufficiently tiled to fit in TCM.*?(?:Requires (\d+) bytes)?",
        "tcm-overflow",
        "{op} needs more of the NPU's fast memory at once than {soc} has",
        "make the tensor smaller or split the operation",
    ),
    _phrase(
        r"DDR-tensor memory pool is too big|requires estimated allocation",
        "memory-limit",
        "the model needs more memory than {soc}'s NPU can address",
        "use smaller inputs or split the model into several packages",
    ),
    _phrase(
        r"could not create op",
        "finalize",
        "QAIRT accepts {op} when it looks at it alone and then cannot build it in this place",
        "write the expression in another order or form",
    ),
)


def explain(reason: str | None, *, op: str, soc: SoC, placement: Placement, precision: str = "fp16") -> Explanation:
    """Phrase QAIRT's ``reason`` for a node of type ``op`` that is not on the NPU.

    Args:
        precision: of the graph. In a quantized one a node that QAIRT still takes for fp16 has no form in integers.
    """
    text = (reason or "").strip()
    if placement is Placement.FAILS and soc.fp16 != "yes":
        message = f"{soc.title} has no full fp16, and {op} does not compile for it in fp16"
        return _of_fp16(message, op, soc, precision)
    for phrase in _PHRASES:
        if match := phrase.pattern.search(text):
            if phrase.rule == _FP16:
                return _of_fp16(phrase.message.replace("{op}", op).replace("{soc}", soc.title), op, soc, precision)
            values = [group or "" for group in match.groups()]
            message = phrase.message.replace("{op}", op).replace("{soc}", soc.title)
            for index, value in enumerate(values):
                message = message.replace(f"{{{index}}}", value.strip())
            return Explanation(phrase.rule, message, phrase.remedy)
    if placement is Placement.FAILS:
        return Explanation(
            "does-not-compile",
            f"{op} does not compile for {soc.title}",
            "write the expression in another form or leave it on the CPU",
        )
    return Explanation(
        "runs-on-cpu", f"{op} does not run on the NPU of {soc.title} in this form and runs on the CPU", ""
    )


def _of_fp16(message: str, op: str, soc: SoC, precision: str) -> Explanation:
    if precision == "fp16":
        return Explanation(_FP16, message, _QUANTIZE)
    return Explanation(
        _FP16, f"{op} has no form in {precision} that {soc.title} takes, and no fp16 there", _NO_INTEGERS
    )


def fact_of(message: str) -> str:
    """What a finding's message says of the operator, without where it runs and what to do: that is over once deploy
    rewrites it.
    """
    first = re.split(r"\. (?=[A-Z])", message, maxsplit=1)[0]
    return f"{first.removesuffix('.').removesuffix(_ON_CPU)}."


def phrases() -> tuple[tuple[str, str, str], ...]:
    """Every rule code with a message and a remedy that it can have, as templates."""
    return tuple((item.rule, item.message, item.remedy) for item in _PHRASES)
