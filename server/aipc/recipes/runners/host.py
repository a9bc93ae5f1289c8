"""What the host programs of all applications share. Copied into every application's package, beside ``run.py``."""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

TIE = 1.0 / 256
"""Two logits nearer than this share of the larger are a tie: fp16 has 11 bits, and a network's layers cost three."""


class Problem(Exception):
    """One sentence for the person in front of the device."""


def divergence(expected, answer):
    """Where an answer first differs from PyTorch's.

    Args:
        expected: PyTorch's answer: ``tokens``, and ``steps`` with its likeliest tokens and logits at each position.
        answer: the package's: ``tokens``.

    Returns:
        None where all tokens are equal; else ``position``, ``expected``, ``answer`` (tokens; None: it had ended),
        ``margin`` (how much PyTorch preferred its own token; None: the other is not among its likeliest) and ``tie``.
    """
    wanted, actual = list(expected["tokens"]), list(answer["tokens"])
    if wanted == actual:
        return None
    position = 0
    while position < min(len(wanted), len(actual)) and wanted[position] == actual[position]:
        position += 1
    first = wanted[position] if position < len(wanted) else None
    second = actual[position] if position < len(actual) else None
    margin, tie = None, False
    if position < len(expected["steps"]) and second is not None:
        step = expected["steps"][position]
        logits = dict(zip(step["tokens"], step["logits"]))
        if second in logits:
            margin = max(step["logits"]) - logits[second]
            tie = margin <= TIE * max(abs(value) for value in step["logits"])
    return {"position": position, "expected": first, "answer": second, "margin": margin, "tie": tie}


class Package:
    """The application's package: its manifest, and its graphs as sessions on the NPU.

    ``runner``: what checks and loads the graphs; by default each graph's own ``run.py``.
    """

    def __init__(self, directory, soc=None, runner=None):
        self.directory, self.soc, self._graph_runner = directory, soc, runner
        try:
            self.manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise Problem("manifest.json is missing or damaged (%s): copy the package again" % error)
        self.host = self.manifest["host"]
        self.runners = {name: self._runner(name) for name in self.manifest["graphs"]}
        name, first = next(iter(self.runners.items()))
        self.simulated = first.is_simulated()
        self.numpy, self.onnxruntime, self.onnxruntime_qnn = self._call(first.load_libraries)
        self._call(first.check_qairt, self._call(first.read_manifest, self._place(name)), self.onnxruntime_qnn)

    def _place(self, name):
        return self.directory / "graphs" / name

    def _runner(self, name):
        """The graph's runner as a module: it knows how to check and load its package."""
        path = self._graph_runner or self._place(name) / "run.py"
        spec = importlib.util.spec_from_file_location("graph_%s" % name, str(path))
        if spec is None or not path.is_file():
            raise Problem("%s is missing: copy the package again" % path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _call(self, function, *arguments):
        try:
            return function(*arguments)
        except Exception as error:
            if type(error).__name__ == "PackageProblem":
                raise Problem(str(error))
            raise

    def graph(self, name):
        """A function that runs one graph: arrays by name in, arrays by name out."""
        runner, place = self.runners[name], self._place(name)
        manifest = self._call(runner.choose_context, self._call(runner.read_manifest, place), self.soc)
        self._call(runner.check_files, place, manifest)
        self._call(runner.check_chip, manifest, self.soc)
        session = self._call(runner.open_session, place, manifest, self.onnxruntime, self.onnxruntime_qnn, {})
        dtypes = {spec["name"]: spec["dtype"] for spec in manifest["inputs"]}
        outputs = [output.name for output in session.get_outputs()]

        def run(arrays):
            feeds = {key: self.numpy.asarray(arrays[key], dtype) for key, dtype in dtypes.items()}
            return dict(zip(outputs, session.run(outputs, feeds)))

        return run

    def arrays(self):
        """What the host program needs besides the graphs, by name."""
        with self.numpy.load(str(self.directory / "host.npz"), allow_pickle=False) as data:
            return {name: data[name] for name in data.files}

    def tokenizer(self):
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise Problem("%s: run pip install tokenizers" % error)
        return Tokenizer.from_file(str(self.directory / "tokenizer.json"))

    def golden(self):
        """PyTorch's answers to the samples that the package was verified with."""
        return json.loads((self.directory / "golden" / "answers.json").read_text("utf-8"))


class Stream:
    """Text on stdout as it grows. A token may end in the middle of a character: that waits for the next."""

    def __init__(self, output):
        self.output, self.shown = output, ""

    def __call__(self, text):
        if self.output is None or text.endswith("\N{REPLACEMENT CHARACTER}") or not text.startswith(self.shown):
            return
        self.output.write(text[len(self.shown) :])
        self.output.flush()
        self.shown = text

    def end(self):
        if self.output is not None:
            self.output.write("\n")
            self.output.flush()


def likeliest(numpy, logits, count=2):
    """The likeliest tokens of float[vocabulary] and their logits."""
    order = numpy.argsort(-logits, kind="stable")[:count]
    return {"tokens": [int(token) for token in order], "logits": [float(logits[token]) for token in order]}


def serve(parser, answer, samples):
    """Parse, answer every sample, print: text as it grows, or one JSON document. Ends the process.

    Args:
        parser: with the application's own options; the common ones are added.
        answer: ``answer(package, arguments, samples, output)`` yields one answer a sample.
        samples: ``samples(arguments)`` lists what was asked for on the command line.
    """
    parser.add_argument("--self-test", action="store_true", help="answer the golden samples and compare with PyTorch")
    parser.add_argument("--soc", help="refuse to run when the package is for another chip")
    here = Path(__file__).resolve().parent
    parser.add_argument("--package", type=Path, default=here, metavar="DIR", help="default: where this file is")
    parser.add_argument("--runner", type=Path, metavar="FILE", help="loads the graphs; default: the run.py of each")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument("--progress", action="store_true", help="say on stderr how far it is")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when stdin is closed")
    arguments = parser.parse_args()
    try:
        status = _served(parser, arguments, answer, samples)
    except Problem as problem:
        print("run.py: %s" % problem, file=sys.stderr)
        status = 2
    except Exception as error:
        # Not Python's own status, which is 1: that is the failed self-test, and nothing else.
        lines = str(error).strip().splitlines() or [""]
        print("run.py: the package cannot be run (%s: %s)" % (type(error).__name__, lines[0]), file=sys.stderr)
        status = 2
    sys.stderr.flush()
    # Not sys.exit: a native library's own end must not change the status.
    os._exit(status)


def _served(parser, arguments, answer, samples):
    package = Package(arguments.package, arguments.soc, arguments.runner)
    any_runner = next(iter(package.runners.values()))
    stdout = any_runner.keep_stdout()
    if arguments.end_with_stdin:
        any_runner.end_with_stdin()
    requested = samples(arguments)
    golden = package.golden() if arguments.self_test else []
    if arguments.self_test:
        requested = [item["sample"] for item in golden]
    if not requested:
        parser.error("say what to answer, or --self-test")
    started = time.perf_counter()
    answers = list(answer(package, arguments, requested, None if arguments.json else stdout))
    seconds = time.perf_counter() - started
    tokens = sum(len(item["tokens"]) for item in answers)
    report = {
        "application": package.manifest["application"],
        "soc": package.manifest["soc"],
        "simulated": package.simulated,
        "answers": answers,
        "host_seconds": seconds,
        # The simulator's time is the host computer's and says nothing of a device.
        "tokens_per_second": None if package.simulated else tokens / seconds,
    }
    status = 0
    if arguments.self_test:
        divergences = [divergence(wanted, actual) for wanted, actual in zip(golden, answers)]
        report["self_test"] = {"passed": all(d is None or d["tie"] for d in divergences), "divergences": divergences}
        status = 0 if report["self_test"]["passed"] else 1
    if arguments.json:
        print(json.dumps(report), file=stdout)
    elif arguments.self_test:
        print("self-test passed" if status == 0 else "self-test FAILED: %s" % json.dumps(divergences), file=stdout)
    stdout.flush()
    return status
