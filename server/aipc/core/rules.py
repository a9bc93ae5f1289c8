"""What each rule's page says, for findings that are not about the placement of a node (see ``qairt.explain``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingRule:
    """A finding's code: what it means, and what can be done about it."""

    code: str
    meaning: str
    remedy: str


RULES = (
    FindingRule(
        "runs-on-cpu",
        "The node runs on the CPU, for a reason of QAIRT's that has no rule of its own.",
        "Read QAIRT's words beside the finding; another form of the expression may run on the NPU.",
    ),
    FindingRule(
        "does-not-compile",
        "QAIRT's validation takes the node and the compiler then fails on it.",
        "Write the expression in another form, or leave it on the CPU.",
    ),
    FindingRule(
        "wrong-numbers",
        "The node compiles for the NPU and its own result, given the right inputs, is farther from PyTorch's than "
        "rounding to fp16 explains. Measured on the simulator.",
        "Write the expression in another form; what it computes on the NPU is not what PyTorch computes.",
    ),
    FindingRule(
        "probe",
        "On an input set beside the example, made from what each input is (a mask with an empty row, an index at the "
        "end of its table, a black picture) or one of your samples, the model's graph or its package gives another "
        "answer than PyTorch.",
        "The message names the input and the cause. Where only the package is wrong, write the expression in another "
        "form; where the exported graph is, it is a defect of the export that is worth a report.",
    ),
    FindingRule(
        "capture-differs",
        "The exported graph, run in fp32, gives another answer than PyTorch from this expression on.",
        "Random numbers: draw them outside and pass them in as an input. State: make it an input and an output. "
        "Otherwise write the expression in another form.",
    ),
    FindingRule(
        "diverges",
        "Every operator alone is right, and the whole package leaves PyTorch's values from this expression on.",
        "Look at what is fused here; a larger value range or a different order of operations often helps.",
    ),
    FindingRule(
        "fp16-precision",
        "fp16 itself is too coarse for this expression: even correctly rounded it is far from fp32.",
        "Keep the values in a smaller range, or compute this part in another way.",
    ),
    FindingRule(
        "quantization-error",
        "In integers, this expression introduces much of the error that the outputs have. Its error alone, put into an "
        "fp32 run of the model, was measured at the outputs; what it inherits from the expressions before it is not "
        "counted.",
        "Keep it in a higher precision (`--precision mixed` or `auto` does so by itself), give more calibration data, "
        "or narrow its range: an outlier channel sets the one scale of the whole tensor.",
    ),
    FindingRule(
        "capture-unsupported-operator",
        "PyTorch's exporter has no ONNX form of this operator.",
        "Write it with operators that have one.",
    ),
    FindingRule(
        "capture-random",
        "An output depends on random numbers that forward draws; a graph would repeat one drawing for every input.",
        "Draw the numbers outside of the model and give them to forward as an argument.",
    ),
    FindingRule(
        "capture-state",
        "forward changes a buffer or an attribute that its next call reads; a graph keeps nothing between two runs.",
        'Set `state = "inputs"` for the model: each buffer that changes becomes an input and an output of the graph, '
        "and the caller feeds the output to the next run. Or pass the state to forward and return it.",
    ),
    FindingRule(
        "capture-dynamic-shape",
        "The shape of this result depends on the values of the input, and shapes on the NPU are fixed.",
        "Give it a fixed size: a mask instead of a selection, padding to the largest size, or post-processing outside.",
    ),
    FindingRule(
        "capture-data-dependent",
        "What this computes depends on the values of the input; a graph for the NPU is the same for every input.",
        "Compute both branches and select, or move the decision out of the model.",
    ),
    FindingRule(
        "capture-failed",
        "PyTorch cannot export the model at this expression.",
        "Read the words beside the finding; run the model's forward on the example inputs first.",
    ),
    FindingRule(
        "cannot-check",
        "The model could not be loaded or checked: bad input, a missing part, or code that raises.",
        "The message says what is wrong and what to do.",
    ),
    FindingRule(
        "input-drift",
        "Inputs that a device recorded leave the range that the package was calibrated for, so that their values are "
        "clipped, or use so little of it that most of the integers' steps are lost.",
        "Look at what prepares the inputs on the device: another scale or another order of channels is frequent. Where "
        "the inputs are right, calibrate with samples of them and deploy again.",
    ),
    FindingRule(
        "recorded-accuracy",
        "On inputs that a device recorded, the package is farther from PyTorch than its gate allows, or the device "
        "answered otherwise than the package does here.",
        "Deploy again with these inputs as calibration data (`--calibration DIR/inputs`); where only the device "
        "differs, deploy to it with `--target`, which verifies there.",
    ),
)
