"""Where no exact rewrite exists: why, and what the author can choose between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """A construct that the NPU does not do as it is written, and that no rule may change by itself.

    Args:
        ops: ONNX operator types, or PyTorch's names of operators that have no ONNX form.
        findings: codes of findings to which it belongs besides; empty for any.
        reason: why there is no exact rewrite, as a sentence without a period.
        options: what can be done, the least change of the model first.
    """

    ops: tuple[str, ...]
    reason: str
    options: tuple[str, ...]
    findings: tuple[str, ...] = ()


CHOICES = (
    Choice(
        ("Mod",),
        "the remainder of a division jumps where the quotient is an integer, and fp16 puts quotients on either side",
        (
            "leave it on the CPU (--allow-cpu)",
            "compute it from integers, whose remainder is exact up to 2**31",
            "move it out of the model, before or after it",
        ),
    ),
    Choice(
        ("Tan",),
        "near its poles one rounding step of the input changes the result by more than the result, and the NPU's sine "
        "and cosine are right to 1e-3 only",
        ("pass sine and cosine on instead of their quotient", "leave it on the CPU (--allow-cpu)"),
        ("wrong-numbers", "fp16-precision"),
    ),
    Choice(
        ("Mul", "Add", "Sub", "Pow"),
        "integers are 32 bits wide on the NPU and saturate, where PyTorch's int64 goes on and int32 wraps around",
        (
            "keep products below 2**31",
            "compute hashes and large indices outside the model",
            "leave it on the CPU (--allow-cpu)",
        ),
        ("wrong-numbers",),
    ),
    Choice(
        ("IsInf", "IsNaN"),
        "fp16 on the NPU holds infinities and NaN as one number, 131008, so one cannot be told from the other",
        (
            "ask for both by torch.isfinite(x), which is right on the NPU",
            "limit the values by torch.clamp(x, -65504, 65504) instead",
            "leave it on the CPU (--allow-cpu)",
        ),
    ),
    Choice(
        ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitShift"),
        "the NPU has no operators on bits",
        ("use booleans, sums and products", "compute it outside the model", "leave it on the CPU (--allow-cpu)"),
    ),
    Choice(
        (
            "Det",
            *(
                f"aten.{name}"
                for name in ("linalg_inv", "inverse", "linalg_inv_ex", "linalg_solve", "_linalg_solve_ex")
            ),
            *("aten._linalg_det", "aten._linalg_slogdet", "aten.linalg_cholesky_ex", "aten.linalg_qr"),
            *("aten.linalg_svd", "aten._linalg_svd", "aten._linalg_eigh", "aten.linalg_lstsq", "aten.linalg_pinv"),
        ),
        "the algorithm branches on its values, and fp16 has too few digits for it (determinants, inverses and "
        "solutions of up to four rows are written out by themselves)",
        ("work on blocks of at most four rows", "compute it outside the model"),
    ),
    Choice(
        (
            "NonZero",
            "NonMaxSuppression",
            "aten.index.Tensor",
            "aten.masked_select",
            "aten.nonzero",
            "aten.unique",
            "aten._unique2",
            "torchvision.nms",
        ),
        "the size of the result depends on the values, and shapes on the NPU are fixed",
        ("keep a mask of fixed size instead", "take the first k by topk", "do it after the model, on the CPU"),
    ),
    Choice(
        ("DFT",),
        "for some sizes QAIRT cannot build the product with the transform's matrix between two reshapes "
        "(genNopWithScaleParamsFP16: mismatched dimensions), and a long transform is too large for a matrix",
        (
            "transform real values instead of complex ones, or another length",
            "compute it outside the model",
            "leave it on the CPU (--allow-cpu)",
        ),
    ),
    Choice(
        ("DeformConv",),
        "it takes more than eight pictures at once, or pictures with a side of more than 2048, which fp16 cannot count",
        ("run it on fewer pictures at once, or on tiles", "leave it on the CPU (--allow-cpu)"),
    ),
    Choice(
        ("RoiAlign",),
        "with sampling_ratio -1 the number of samples is a rounded quotient: one rounding step of fp16 changes it",
        (
            "give a fixed sampling_ratio and sample with grid_sample",
            "leave it on the CPU (--allow-cpu)",
        ),
        ("wrong-numbers",),
    ),
    Choice(
        ("GridSample",),
        "reflection folds a coordinate by its distance in sizes of the picture, which fp16 does not resolve far off",
        ("use padding_mode border or zeros", "clamp the grid to [-2, 2] before it"),
    ),
    Choice(
        ("Where", "Add", "Softmax"),
        "fp16 on the NPU has no infinity: -1e9 and -inf become -131008, and a row that is masked whole gives zeros "
        "where PyTorch gives NaN or equal weights",
        ("mask with -1e4, which fp16 holds", "see that no row is masked whole"),
        ("wrong-numbers", "fp16-precision"),
    ),
    Choice(
        ("Transpose", "Reshape", "Add", "Mul"),
        "a tensor with more than five axes enters or leaves the model, and a rewrite cannot change what it is given",
        ("give the model a tensor of fewer axes and view it inside", "leave the border on the CPU (--allow-cpu)"),
        ("rank",),
    ),
    Choice(
        ("MaxPool",),
        "indices of padded or three-dimensional windows, or of windows with more than 49 elements, would take a "
        "comparison for every element",
        ("pad before the pooling with a very small number", "do without the indices"),
    ),
    Choice(
        ("ScatterElements",),
        "it multiplies, covers a part of the other axes only, or would need a mask of more than four million places",
        ("scatter along an axis that the indices cover whole", "leave it on the CPU (--allow-cpu)"),
    ),
    Choice(
        ("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"),
        "a loss belongs to training, and the NPU has no operator for it",
        ("end the model before its loss", "compute it outside the model"),
    ),
    Choice(
        (
            "Multinomial",
            "RandomNormal",
            "RandomNormalLike",
            "RandomUniform",
            "RandomUniformLike",
            "Bernoulli",
            "Dropout",
        ),
        "the NPU draws no random numbers",
        ("draw outside the model and give the numbers as an input", "put the model into evaluation mode"),
    ),
    Choice(
        ("MatMul",),
        "the NPU multiplies matrices of floating point only",
        ("cast to float where products and sums stay below 2048", "leave it on the CPU (--allow-cpu)"),
        ("runs-on-cpu",),
    ),
)


def choices_in(text: str) -> Iterator[Choice]:
    """The choices for an operator of PyTorch's that the exporter's words name."""
    for choice in CHOICES:
        if any("." in op and re.search(rf"(?<![\w.]){re.escape(op)}(?!\w)", text) for op in choice.ops):
            yield choice


def choices_for(op_type: str, finding: str = "") -> Iterator[Choice]:
    """The choices for an operator, those of other findings left out."""
    for choice in CHOICES:
        if op_type in choice.ops and (not finding or not choice.findings or finding in choice.findings):
            yield choice
