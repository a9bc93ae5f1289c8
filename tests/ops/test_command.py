"""``aipc ops``: what it prints, its JSON and its exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from aipc.ops.data import load, save


def ops(*arguments, expect=0):
    finished = subprocess.run(
        [sys.executable, "-m", "aipc", "ops", *arguments], capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == expect, finished.stderr
    return finished.stdout if expect != 2 else finished.stderr


def test_an_operator_s_variants_come_with_verdict_and_reason():
    text = ops("mish", "--soc", "sm8650")
    assert "torch.nn.functional.mish" in text
    assert "cpu" in text
    assert "Mish" in text


def test_json_holds_attributes_and_measurements():
    document = json.loads(ops("torch.nn.functional.grid_sample", "--arch", "v75", "--json"))
    assert document["socs"] == {"sm8650": 75}
    found = next(item for item in document["variants"] if item["attributes"].get("mode") == "bilinear")
    assert found["measured"]["sm8650"]["verdict"]


def test_without_a_name_it_sums_up_and_lists_the_gaps():
    document = json.loads(ops("--json"))
    assert sum(document["verdicts"]["sm8650"].values()) == document["variants"]
    assert document["coverage"]["covered"] + len(document["coverage"]["gaps"]) == document["coverage"]["registry"]
    assert "in the registry of PyTorch's exporter are covered" in ops()


def test_a_soc_of_the_same_arch_says_which_one_was_measured():
    assert "SM8650, which was measured" in ops("relu", "--soc", "qcs8300")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reluu"], "did you mean"),
        (["relu", "--soc", "sm9999"], "is not a SoC"),
        (["relu", "--soc", "qcs6490"], "does not compute in fp16"),
        (["relu", "--arch", "v12"], "is not an HTP arch"),
        (["--recheck", "many"], "is not a percentage"),
        (["--recheck", "0"], "is no sample"),
        (["relu", "--probe"], "exclude each other"),
        (["relu", "--data", "nothing.gz"], "there is no data file"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_and_status_2(arguments, words):
    assert words in ops(*arguments, expect=2)


def test_comparing_files_finds_nothing_in_equal_ones_and_has_status_1_else(tmp_path):
    data = load()
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    save(data, one)
    save(replace(data, variants=data.variants[1:]), two)
    assert "no difference" in ops("--diff", str(one), str(one))
    document = json.loads(ops("--diff", str(one), str(two), "--json", expect=1))
    assert document["changes"][0]["variant"] == data.variants[0].id
    assert document["changes"][0]["after"] is None
