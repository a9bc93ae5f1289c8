"""Package against device, axis by axis: a contradiction is one sentence with a remedy; what is unknown is none."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from aipc.core.config import load_config
from aipc.core.errors import ConfigError
from aipc.pipeline import package as packaging
from aipc.targets.base import Facts
from aipc.targets.device_facts_table import device_fact_rows
from aipc.targets.preflight import preflight, soc_of

MANIFEST = {
    "model": "net",
    "soc": "sm8650",
    "htp_arch": 75,
    "vtcm_mb": 8,
    "qairt": "2.51.0",
    "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 3]}],
}
PHONE = Facts(
    system="linux",
    machine="aarch64",
    libc="glibc 2.39",
    soc="sm8650",
    htp_arch=75,
    vtcm_mb=8,
    qairt="2.51.0",
    free_bytes=10**10,
    clock_skew=0.2,
    has_npu=True,
)


def test_a_fitting_device_has_no_mismatch():
    assert preflight(MANIFEST, PHONE, size=10**6) == ()


def test_what_a_device_does_not_say_is_not_held_against_it():
    assert preflight(MANIFEST, Facts(), size=10**6) == ()


@pytest.mark.parametrize(
    ("change", "axes"),
    [
        ({"soc": "sm8750", "htp_arch": 79}, ["soc", "htp_arch"]),
        ({"soc": "qcs6490", "htp_arch": 68, "vtcm_mb": 2}, ["soc", "htp_arch", "vtcm"]),
        ({"qairt": "2.50.1"}, ["qairt"]),
        ({"qairt": "3.0.0"}, ["qairt"]),
        ({"machine": "armv7l"}, ["abi"]),
        ({"libc": "glibc 2.31"}, ["abi"]),
        ({"libc": "musl"}, ["abi"]),
        ({"system": "darwin"}, ["os"]),
        ({"free_bytes": 10**6}, ["space"]),
        ({"has_npu": False}, ["npu"]),
    ],
)
def test_each_axis_is_named_with_a_remedy_and_blocks(change, axes):
    found = preflight(MANIFEST, replace(PHONE, **change), size=10**6)
    assert [item.axis for item in found] == axes
    assert all(item.blocks and item.remedy and item.message for item in found)


def test_the_way_out_of_another_chip_is_the_whole_command():
    manifest = {**MANIFEST, "reference": "nets/my net.py:Net", "precision": "w8a16"}
    facts = replace(PHONE, soc="sm8750", htp_arch=79)
    found = preflight(manifest, facts, target="aihub:Samsung Galaxy S25")
    assert found[0].remedy == (
        "compile for this device: aipc deploy 'nets/my net.py:Net' --soc sm8750 --precision w8a16 "
        "--target 'aihub:Samsung Galaxy S25'"
    )
    assert preflight(MANIFEST, facts)[0].remedy == "compile for this device: aipc deploy net --soc sm8750"


def test_a_newer_qairt_of_the_same_major_version_runs_it():
    assert preflight(MANIFEST, replace(PHONE, qairt="2.52.0")) == ()


def test_a_busy_npu_and_a_wrong_clock_are_told_and_do_not_block():
    found = preflight(MANIFEST, replace(PHONE, npu_users=("camera (71)",), clock_skew=-7200.0))
    assert [(item.axis, item.blocks) for item in found] == [("npu", False), ("clock", False)]
    assert "camera (71)" in found[0].message and "behind" in found[1].message


def test_a_shape_that_is_not_fixed_is_refused():
    manifest = {**MANIFEST, "inputs": [{"name": "x", "dtype": "float32", "shape": [1, "length"]}]}
    assert [item.axis for item in preflight(manifest, PHONE)] == ["shape"]


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["SM8650"], "sm8650"),
        (["qcom,x1e80100"], "x-elite"),
        (["lenovo,thinkpad-t14s", "qcom,x1e78100"], "x-elite"),
        (["QCM6490"], "qcs6490"),
        (["Snapdragon(R) X Elite", "X1E80100", "Qualcomm(R) Oryon(TM) CPU"], "x-elite"),
        (["raspberrypi,5-model-b", "brcm,bcm2712"], None),
    ],
)
def test_a_devices_own_words_for_its_chip_are_understood(names, part):
    found = soc_of(names)
    assert (found.part if found else None) == part


def test_what_an_x86_device_measures_is_marked_as_host_time():
    rows = dict(device_fact_rows(replace(PHONE, machine="x86_64", simulated=True, lacks=("onnxruntime 1.32.0",))))
    assert "host times" in rows["NPU"] and "--setup" in rows["lacks"]


@pytest.mark.parametrize("name", ["helper.py", "facts.py", "programs.py"])
def test_what_runs_on_devices_is_valid_for_old_pythons(name):
    import aipc.targets.remote as remote

    ast.parse((Path(remote.__path__[0]) / name).read_text(), feature_version=(3, 8))
    ast.parse(packaging.RUNNER.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("targets = 3", "not a table"),
        ('[tool.aipc.targets."ssh:x"]\nsock = "sm8650"', "unknown key 'sock'"),
        ('[tool.aipc.targets."ssh:x"]\nsilence = "long"', "wrong type"),
        ('[tool.aipc.targets."ssh:x"]\nsetup = "maybe"', "offline or online"),
    ],
)
def test_mistakes_in_a_devices_configuration_are_told(tmp_path, table, words):
    (tmp_path / "pyproject.toml").write_text(f"[tool.aipc]\n{table}\n")
    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path)


def test_a_devices_configuration_is_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.aipc.targets."ssh:board"]\nsoc = "qcs6490"\nsilence = 10\n')
    assert load_config(tmp_path).targets == {"ssh:board": {"soc": "qcs6490", "silence": 10}}
