"""The keys of ``tolerance`` in the configuration: every threshold of a gate that a user can set, and its default."""

from __future__ import annotations

TOLERANCES = {
    "sqnr_db": "least SQNR of every output of the package against PyTorch in fp32. Default in fp16: 40 dB, or 6 dB "
    "less than a correctly rounded fp16 run has, and never below 20 dB. In integers: 20 dB. Once it is set, it is the "
    "only threshold.",
    "capture_sqnr_db": "least SQNR of the captured and of the rewritten graph, run in fp32, against PyTorch in fp32, "
    "on the example and on every probe. Default: 100 dB; less where PyTorch's own fp32 is farther from fp64.",
    "cosine": "least cosine of every output of the package against PyTorch's. Default: none.",
    "max_abs": "largest absolute error of every output of the package. Default: none.",
    "metric": "least value of the configured `metric`. Default: 0.7 of what PyTorch's own outputs have by it.",
}
