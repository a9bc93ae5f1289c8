"""The walls that stand before a patch runs: paths, text, secrets, and the protocol of calls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aipc.agent.names import foreign
from aipc.agent.policy import added_chains, inputs_differ, objections, only_inputs_differ
from aipc.agent.protocol import calls_in, repeats, without_thoughts
from aipc.agent.redact import redactor
from aipc.agent.scratch import PatchError, Scratch
from aipc.agent.verdicts import FileEdit
from aipc.agent.visible import visible
from aipc.rewrites.source import apply_edits

from .conftest import TALKING
from .models import BRANCH, FILE, GOOD


@pytest.mark.parametrize(
    ("file", "attack"),
    [
        ("/etc/passwd", "absolute path"),
        ("C:\\Windows\\win.ini", "absolute path"),
        ("../outside.txt", "path with .."),
        ("a/../../outside.txt", "path with .."),
        ("..\\outside.txt", "path with .."),
        (".git/config", "file that is not the project's"),
        (".venv/lib/x.py", "file that is not the project's"),
        ("link.py", "link out of the project"),
        ("linked/outside.txt", "link out of the project"),
        ("pyproject.toml", "file that is no source"),
        ("new.py", ""),
        ("", ""),
        ("a\0b", ""),
    ],
)
def test_a_patch_stays_in_the_project(project: Path, file, attack):
    (project / "link.py").symlink_to(project.parent / "outside.txt")
    (project / "linked").symlink_to(project.parent)
    before = {path: path.stat().st_mtime_ns for path in project.parent.rglob("*") if path.is_file()}
    with pytest.raises(PatchError) as caught:
        Scratch(project).patched((FileEdit(file, "a", "b"),))
    assert caught.value.attack == attack
    assert before == {path: path.stat().st_mtime_ns for path in project.parent.rglob("*") if path.is_file()}


def test_a_patch_changes_the_scratch_copy_and_nothing_else(project: Path):
    scratch = Scratch(project).patched((FileEdit(FILE, BRANCH, GOOD),))
    assert (project / FILE).read_text() == TALKING
    assert scratch.overlay()[str(project / FILE)] == TALKING.replace(BRANCH, GOOD)
    assert apply_edits(TALKING, scratch.edits()) == TALKING.replace(BRANCH, GOOD)
    assert "+        return torch.where" in scratch.diffs()[str(project / FILE)]


@pytest.mark.parametrize("old", ["not there", "x", ""], ids=["not there", "several times", "empty"])
def test_the_text_to_replace_is_there_exactly_once(project: Path, old):
    with pytest.raises(PatchError, match="to replace is"):
        Scratch(project).patched((FileEdit(FILE, old, "y"),))


def test_line_ends_stay(project: Path):
    (project / FILE).write_bytes(TALKING.replace("\n", "\r\n").encode())
    text = Scratch(project).patched((FileEdit(FILE, BRANCH, GOOD),)).overlay()[str(project / FILE)]
    assert text == TALKING.replace(BRANCH, GOOD).replace("\n", "\r\n")


def test_an_unsaved_text_is_what_is_patched(project: Path):
    unsaved = {str(project / FILE): TALKING + "# more\n"}
    scratch = Scratch(project, unsaved).patched((FileEdit(FILE, BRANCH, GOOD),))
    assert scratch.overlay()[str(project / FILE)].endswith("# more\n")
    assert apply_edits(unsaved[str(project / FILE)], scratch.edits()) == scratch.overlay()[str(project / FILE)]


@pytest.mark.parametrize(
    ("line", "attack"),
    [
        ("import socket", "network"),
        ("from urllib.request import urlopen", "network"),
        ("import os", "reach outside the model"),
        ("import subprocess", "reach outside the model"),
        ("import sys", "reach into the interpreter"),
        ("import inspect", "reach into the interpreter"),
        ("import torch.hub", "foreign import"),
        ("import pickle", "foreign import"),
        ("torch.where = lambda *a: a[1]", "monkeypatching"),
        ("torch.Tensor.sum = None", "monkeypatching"),
        ("setattr(torch, 'where', 1)", "monkeypatching"),
        ("nn.Module.__call__ = None", "monkeypatching"),
        ("x = torch.load('x.pt')", "reach outside the model"),
        ("x = open('/etc/passwd').read()", "reach outside the model"),
        ("eval('1')", "reach outside the model"),
        ("x = ().__class__.__bases__", "reach into the interpreter"),
        ("y = torch.compiler.is_exporting()", "another behaviour while it is checked"),
        ("y = torch.onnx.is_in_onnx_export()", "another behaviour while it is checked"),
        ("exit()", "reach outside the model"),
        ("@functools.lru_cache\ndef f(): pass", "cached outputs"),
        ("def f():\n    global cache\n    cache = 1", "cached outputs"),
    ],
)
def test_what_no_rewrite_needs_is_named(line, attack):
    found = objections(TALKING, f"{TALKING}\n{line}\n", FILE)
    assert attack in {item.attack for item in found}
    assert all(item.reason.startswith(f"{FILE}:") for item in found)


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("torch.os.getpid()", "os"),
        ("from torch import sys as other", "sys"),
        ("import torch.nn.functional as F\nF.importlib", "importlib"),
        ("y = getattr(torch, 'threading')", "threading"),
        ("torch.serialization.pickle", "pickle"),
    ],
)
def test_a_module_is_refused_by_whatever_name_it_is_reached(line, module):
    chains = added_chains(TALKING, f"{TALKING}\n{line}\n")
    assert module in foreign(lambda event: None, chains=sorted(chains)).values()


def test_names_of_torch_are_no_foreign_modules():
    text = "import math\nimport torch\nimport torch.nn.functional as F\n"
    text += "y = F.softmax(x, -1) + torch.special.erf(x) + math.pi + torch.fft.fft(x) + torch.signal.windows.hann(4)\n"
    assert not foreign(lambda event: None, chains=sorted(added_chains("", text)))


@pytest.mark.parametrize(
    ("line", "attack"),
    [
        ("y = getattr(torch, 'o' + 's')", "reach into the interpreter"),
        ("t = torch", "reach into the interpreter"),
        ("x = 1  # \u202e reversed", "hidden characters"),
        ("x = 'a\u200bb'", "hidden characters"),
    ],
)
def test_what_would_hide_a_change_is_refused(line, attack):
    assert attack in {item.attack for item in objections(TALKING, f"{TALKING}\n{line}\n", FILE)}


def test_text_of_a_model_cannot_steer_a_terminal():
    assert visible("a\x1b[2Jb\u202ec\td\r\n") == "a\\x1b[2Jb\\u202ec\td\n"


@pytest.mark.parametrize(
    "line", ["import math", "import torch.nn.functional as F", "y = torch.where(x > 0, x, 0)", "self.y = 1"]
)
def test_what_rewrites_need_is_let_through(line):
    assert not objections(TALKING, f"{TALKING}\n{line}\n", FILE)


def test_what_the_author_does_is_no_objection_to_a_patch():
    own = f"import os\nimport socket\n{TALKING}"
    assert not objections(own, own.replace(BRANCH, GOOD), FILE)
    assert objections(own, f"{own}\nimport socket\n", FILE)


def test_example_inputs_are_told_from_the_rest():
    other = TALKING.replace("torch.rand(1, 2, 4, 4)", "torch.zeros(1, 2, 4, 4)")
    assert inputs_differ(TALKING, other)
    assert only_inputs_differ(TALKING, other)
    assert not inputs_differ(TALKING, TALKING.replace(BRANCH, GOOD))
    assert not only_inputs_differ(TALKING, other.replace("2 * x", "3 * x"))


def test_secrets_are_hidden(monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", "correct-horse-battery")
    redact = redactor(("the-endpoints-key",), dict(os.environ))
    text = redact("a the-endpoints-key b correct-horse-battery c sk-abcdefghijklmnop1234 d hf_abcdefghijklmnopqrstuv e")
    assert text == "a [secret] b [secret] c [secret] d [secret] e"
    assert redact("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----") == "[secret]"
    assert redact("the sky is blue, task-oriented") == "the sky is blue, task-oriented"


def test_calls_are_read_from_text():
    calls, problem = calls_in('I look.\n```tool\n{"name": "look", "arguments": {"a": 1}}\n```', ["look"])
    assert ([(item.name, item.arguments) for item in calls], problem) == ([("look", '{"a": 1}')], "")
    calls, _ = calls_in('<tool_call>{"name": "look", "arguments": {}}</tool_call>', ["look"])
    assert calls[0].name == "look"
    assert calls_in('```tool\n{"name": "look", "arguments": {', ["look"])[1].startswith("the tool call is not JSON")
    assert "there is no tool 'shell'" in calls_in('```json\n{"name": "shell"}\n```', ["look"])[1]
    assert calls_in("```python\nx = 1\n```", ["look"]) == ((), "")


def test_thoughts_in_the_text_are_no_part_of_it():
    assert without_thoughts("<think>hm\nso</think>\nanswer") == ("answer", "hm\nso")
    assert without_thoughts("hm</think>answer") == ("answer", "hm")
    assert without_thoughts("<think>never ends") == ("", "never ends")


def test_repetition_is_told_from_code():
    assert repeats("la la la " * 200)
    assert repeats("the same line\n" * 60)
    assert not repeats("\n".join(f"        y{number} = x[..., {number}] * w[{number}]" for number in range(100)))
    assert not repeats("short")
