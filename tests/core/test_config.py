"""The configuration says what a model is, and every mistake in it is told with its place and a way out."""

from __future__ import annotations

import pickle

import pytest

from aipc.core.config import load_config, resolve_model, write_model_config
from aipc.core.errors import ConfigError, ModelLoadError

GOOD = """
[tool.aipc]
soc = "sm8650"   # the phone

[tool.aipc.models.yolov8n]
entry = "model.py:build"
inputs = { images = "float32[1,3,640,640]" }
tolerance = { sqnr_db = 40 }
dims = { batch = 1, tokens = [256, 128] }
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(GOOD)
    (tmp_path / "model.py").write_text("")
    (tmp_path / "net.onnx").write_text("")
    (tmp_path / "sub").mkdir()
    return tmp_path


def test_the_nearest_file_counts(project):
    config = load_config(project / "sub")
    assert (config.root, config.soc) == (project.resolve(), "sm8650")
    model = config.models["yolov8n"]
    assert model.inputs == {"images": "float32[1,3,640,640]"} and model.precision is None
    assert model.dims == {"batch": 1, "tokens": (128, 256)}
    assert model.sizes == {"batch": 1, "tokens": 256}


def test_a_configured_name_resolves_from_anywhere_and_can_be_sent_to_a_worker(project):
    ref = resolve_model("yolov8n", project / "sub", load_config(project))
    assert (ref.kind, ref.path, ref.attribute) == ("python", (project / "model.py").resolve(), "build")
    assert pickle.loads(pickle.dumps(ref)) == ref


@pytest.mark.parametrize(("ref", "kind", "attribute"), [("model.py:Net", "python", "Net"), ("net.onnx", "onnx", None)])
def test_a_file_resolves_relative_to_the_working_directory(project, ref, kind, attribute):
    found = resolve_model(ref, project, load_config(project))
    assert (found.kind, found.attribute, found.config) == (kind, attribute, None)


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("yolov8", "yolov8n"),
        ("modle.py:Net", "did you mean model.py"),
        ("model.py", "model.py:ClassOrFactory"),
        ("pyproject.toml:x", "not a .py"),
        ("package:no_such_package/x.onnx", "pip install no_such_package"),
    ],
)
def test_a_wrong_name_is_told_with_what_is_near(project, ref, words):
    with pytest.raises(ModelLoadError, match=words):
        resolve_model(ref, project, load_config(project))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.aipc]\nsoc = \n", r"pyproject.toml:2: "),
        ("[tool.aipc]\nsocs = 'x'\n", "did you mean soc"),
        ("[tool.aipc]\nsoc = 3\n", "not a string"),
        ("[tool]\naipc = 3\n", "not a table"),
        ("[tool.aipc.models.m]\nprecision = 'fp16'\n", "no entry"),
        ("[tool.aipc.models.m]\nentry = 'm.py:M'\nprecision = 'fp8'\n", "use one of fp16"),
        ("[tool.aipc.models.m]\nentry = 'm.py:M'\ninputs = 3\n", "neither a string"),
        ("[tool.aipc.models.m]\nentry = 'm.py:M'\ndims = { n = 0 }\n", "table of sizes"),
        ("[tool.aipc.models.m]\nentry = 'm.py:M'\ndims = { n = [] }\n", "table of sizes"),
        ("[tool.aipc.models.m]\nentry = 'm.py:M'\ndims = 3\n", "table of sizes"),
        ("[tool.aipc.models.m]\nentry = 'm.py:M'\ntolerance = { sqnr_db = 'x' }\n", "table of numbers"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, text, words):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=words) as info:
        load_config(tmp_path)
    assert "\n" not in str(info.value)


def test_a_file_without_our_table_is_passed_over(project):
    (project / "sub" / "pyproject.toml").write_text("tool = 3\n")
    assert load_config(project / "sub").soc == "sm8650"


@pytest.mark.parametrize("inputs", [{"x": "float32[1,3]"}, ["float32[1]", "int64[2]"], "data.py:batches"])
def test_writing_keeps_comments_and_reads_back(project, inputs):
    path = project / "pyproject.toml"
    write_model_config(path, "new", entry="model.py:Net", inputs=inputs)
    write_model_config(path, "yolov8n", entry="model.py:build2", inputs=inputs)
    assert "# the phone" in path.read_text()
    models = load_config(project).models
    expected = tuple(inputs) if isinstance(inputs, list) else inputs
    assert models["new"].inputs == models["yolov8n"].inputs == expected
    assert models["yolov8n"].entry == "model.py:build2" and models["yolov8n"].tolerance == {"sqnr_db": 40}


def test_writing_makes_a_file_and_refuses_a_broken_one(tmp_path):
    path = tmp_path / "pyproject.toml"
    write_model_config(path, "m", entry="m.py:M", inputs="x.npz")
    assert load_config(tmp_path).models["m"].entry == "m.py:M"
    path.write_text("[tool\n")
    with pytest.raises(ConfigError):
        write_model_config(path, "m", entry="m.py:M", inputs="x.npz")
    assert path.read_text() == "[tool\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('metric = "clasification"', "'clasification', which names nothing — did you mean classification"),
        ('preprocess = "0..1"', "'0..1', which names nothing"),
        ('inputs = { x = "float32 1 3" }', "'float32 1 3', which is neither a shape nor a file"),
        ('inputs = ["float32[1]", "yes"]', "'yes', which is neither"),
        ('soc = "sm8650"\nsoc = "sm8550"', "not valid TOML"),
    ],
)
def test_a_value_that_names_nothing_is_told_at_once(tmp_path, line, words):
    (tmp_path / "pyproject.toml").write_text(f'[tool.aipc.models.m]\nentry = "m.py:M"\n{line}\n')
    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path)


def test_what_the_configuration_accepts_is_what_there_is():
    from aipc.core.config import METRICS, SCALINGS
    from aipc.quantize import tasks
    from aipc.quantize.calibrate import preprocessing

    assert set(METRICS) == set(tasks.BUILT_IN)
    assert set(SCALINGS) == set(preprocessing.SCALINGS)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-5", "1" + "0" * 400, "true", '"40"', "[]"])
@pytest.mark.parametrize("key", ["sqnr_db", "cosine", "max_abs"])
def test_a_threshold_that_nothing_or_everything_passes_is_refused(tmp_path, key, value):
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.aipc.models.m]\nentry = "m.py:M"\ntolerance = {{ {key} = {value} }}\n'
    )
    with pytest.raises(ConfigError, match="tolerance"):
        load_config(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.aipc.apps.a]\nentry = "m.py:M"\ngraphs.g.tolerance = {{ {key} = {value} }}\n'
    )
    with pytest.raises(ConfigError, match="tolerance"):
        load_config(tmp_path)
