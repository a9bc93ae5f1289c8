"""A module of the caller's process: captured there, left as it was, findings on its lines."""

from __future__ import annotations

import inspect
import json
import linecache
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import aipc
from aipc.core.errors import InputError

from .conftest import Panorama, image


def test_importing_is_light_and_every_public_name_is_there() -> None:
    script = (
        "import sys, aipc; light = set(sys.modules); [getattr(aipc, name) for name in aipc.__all__]; "
        "print(*light & {'torch', 'numpy', 'onnx', 'rich', 'typer', 'cattrs'}, 'then', *set(sys.modules) & "
        "{'torch', 'numpy', 'onnx', 'onnxruntime'})"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "then\n"


def test_a_finding_stands_on_the_expression_of_the_live_class(project: Path) -> None:
    report = aipc.check(Panorama(), image(), soc="sm8650")
    (finding,) = report.findings
    source, first = inspect.getsourcelines(Panorama.forward)
    line = next(number for number, text in enumerate(source, first) if "the line of the finding" in text)
    assert finding.range is not None
    assert (Path(finding.range.file), finding.range.start.line) == (Path(__file__).with_name("conftest.py"), line)
    assert report.placement == {"npu": 2, "cpu": 1, "fails": 0}
    assert report.ok


def test_the_module_and_the_process_stay_as_they_are(project: Path) -> None:
    import torch._export.utils as export_utils

    model = Panorama().train()
    model.conv.weight.grad = torch.ones_like(model.conv.weight)
    model.seen = model.conv(image()) * 2  # activations with a history, which PyTorch refuses to copy
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    expected = torch.rand(3), random.random(), np.random.rand()
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    listing, stack_traces = export_utils._collect_all_valid_cia_ops, torch.fx.config.do_not_emit_stack_traces
    aipc.check(model, image(), soc="sm8650")
    assert torch.equal(torch.rand(3), expected[0]) and (random.random(), np.random.rand()) == expected[1:]
    assert model.training and model.conv.training and model.conv.weight.requires_grad
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert model.conv.weight.grad is not None and model.seen.grad_fn is not None
    assert export_utils._collect_all_valid_cia_ops is listing
    assert torch.fx.config.do_not_emit_stack_traces is stack_traces


def test_an_unchanged_module_is_checked_from_the_cache(project: Path) -> None:
    events: list[aipc.Event] = []
    aipc.check(Panorama(), image(), soc="sm8650")
    aipc.check(Panorama(), image(), soc="sm8650", progress=events.append)
    assert "done (from the cache)" in {event.message for event in events if event.stage == "placement"}


CELL = """\
import torch
import torch.nn.functional as F
class Cell(torch.nn.Module):
    def forward(self, x):
        y = F.pad(x, (1, 1, 1, 1), mode="circular")
        return "ä😀" and F.pad(y, (2, 2, 2, 2), mode="circular")
"""


def test_a_class_of_a_notebook_cell_is_checked_and_shown_with_the_cell_s_lines(project: Path) -> None:
    name = str(project / "ipykernel_17" / "2718281828.py")  # what ipykernel calls a cell; there is no such file
    linecache.cache[name] = (len(CELL), None, CELL.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {}
    exec(compile(CELL, name, "exec"), namespace)
    report = aipc.check(namespace["Cell"](), torch.rand(1, 1, 4, 4), soc="sm8650")
    places = [finding.range for finding in report.findings if finding.range]
    assert [(place.file, place.start.line) for place in places] == [(name, 5), (name, 6)]
    assert CELL.splitlines()[5][places[1].start.column :] == 'F.pad(y, (2, 2, 2, 2), mode="circular")'
    shown = report._repr_html_()
    assert '<mark class="information">F.pad(x, (1, 1, 1, 1), mode=&#34;circular&#34;)</mark>' in shown
    assert "cell, line 5" in shown
    assert "-        y = F.pad(x" in shown and "+        y = torch.cat([x[..., -1:], x, x[..., :1]]" in shown


@pytest.mark.parametrize("name", ["<ipython-input-3-abc>", "<python-input-4>"])
def test_what_is_typed_into_a_prompt_is_the_author_s(name: str) -> None:
    from aipc.capture.sourcemap import is_library

    assert not is_library(name)
    assert is_library("<string>")


@pytest.mark.slow
def test_a_class_of_main_works(project: Path) -> None:
    script = project / "train.py"
    script.write_text(
        textwrap.dedent(
            """\
            import torch
            import torch.nn.functional as F
            import aipc

            class Net(torch.nn.Module):
                def forward(self, x):
                    return F.pad(x, (1, 1, 1, 1), mode="circular")

            print(aipc.check(Net(), torch.rand(1, 1, 4, 4), soc="sm8650").to_json())
            """
        )
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["range"]["file"], finding["range"]["start"]["line"]) == (str(script), 7)


def test_findings_of_pytorchs_own_modules_stand_at_the_call(project: Path) -> None:
    model = nn.Sequential(nn.CircularPad2d(1))
    report = aipc.check(model, torch.rand(1, 1, 4, 4), soc="sm8650")  # here
    place = report.findings[0].range
    assert place is not None and place.file == __file__
    assert linecache.getline(__file__, place.start.line).rstrip().endswith("# here")


def test_wrappers_are_taken_off_and_halves_become_floats(project: Path) -> None:
    wrapped = torch.compile(nn.DataParallel(Panorama().half()))
    report = aipc.check(wrapped, image().half(), soc="sm8650", name="wrapped")
    assert report.model == "wrapped" and report.placement["npu"] == 2


class TwoInputs(nn.Module):
    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return left - right


def test_inputs_may_be_named_and_shapes_may_be_text(project: Path) -> None:
    report = aipc.check(TwoInputs(), {"right": "float32[1,4]", "left": np.ones((1, 4), np.float32)}, soc="sm8650")
    assert report.nodes == 1


def test_an_export_failure_is_a_report_with_a_finding(project: Path) -> None:
    class Branch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    report = aipc.check(Branch(), torch.rand(1, 4), soc="sm8650")
    assert [finding.rule for finding in report.findings] == ["capture-data-dependent"]
    assert not report.ok and report.graph is None


class Refuses(nn.Module):
    def __deepcopy__(self, memo: object) -> Refuses:
        raise TypeError("an open file")


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (3, None, "not int"),
        (TwoInputs(), {"middle": "float32[1]"}, "no argument 'middle'"),
        (TwoInputs(), "1x3", "'1x3' is not a shape"),
        (TwoInputs(), (torch.rand(1, 2), torch.rand(1, 3)), "forward raised RuntimeError"),
        (Refuses(), "float32[1]", "cannot be copied: TypeError: an open file"),
        ("model.py:Net", torch.rand(1), "need the names"),
    ],
)
def test_what_cannot_be_checked_says_why_and_what_to_do(
    project: Path, model: object, inputs: object, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        aipc.check(model, inputs)  # type: ignore[arg-type]
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("inputs", "remedy"),
    [
        (torch.rand(1, 4, 16, 16), "correct example_inputs, or the model"),
        ((1, 3, 16, 16), 'a shape is a text such as "float32[1,3,224,224]"'),
    ],
)
def test_inputs_that_do_not_fit_are_corrected_in_the_call(project: Path, inputs: Any, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        aipc.check(Panorama(), inputs, soc="sm8650")
    assert remedy in str(caught.value.remedy)


def test_integers_without_calibration_data_name_the_argument_of_the_call(project: Path) -> None:
    with pytest.raises(InputError, match="needs calibration data") as caught:
        aipc.deploy(Panorama(), image(), soc="sm8650", precision="w8a8")
    assert str(caught.value.remedy).startswith("give calibration=: samples")


def test_what_is_no_deployment_cannot_be_compared(project: Path) -> None:
    with pytest.raises(InputError, match="type int cannot be compared"):
        aipc.compare(3, "run")  # type: ignore[arg-type]
