"""The data file: small, the same bytes for the same measurements, readable again, and honest about its versions."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from aipc.core.errors import InputError
from aipc.ops import run
from aipc.ops.coverage_after_rewrites import shares
from aipc.ops.data import Becomes, Coverage, Data, MeasuredVariant, find, load, merged, save
from aipc.ops.measurements import CPU, RUNS, WRONG, Measured

VERSIONS = {"qairt": "2.51.0", "torch": "2.14.1"}


def data(soc="sm8650", arch=75, measured=None, versions=None):
    measured = measured or Measured(WRONG, "1 instead of 2", ("Erf",), (), -math.inf, 70.5, True, "boundary")
    item = MeasuredVariant(
        "relu[rank=4]", "activations", ("torch.relu",), {"rank": 4}, "", ("float32[2]",), ("Relu",), {soc: measured}
    )
    return Data(
        "2.51.0", versions or VERSIONS, {soc: arch}, (item,), {"torch.relu": ("input",)}, Coverage(("aten::relu",), ())
    )


def test_what_was_written_is_read_again(tmp_path):
    path = tmp_path / "data.json.gz"
    save(data(), path)
    read = load(path)
    assert read == data()
    assert read.coverage.gaps == ("aten::relu",)


def test_the_same_measurements_give_the_same_bytes(tmp_path):
    one, two = tmp_path / "a.gz", tmp_path / "b.gz"
    save(data(), one)
    save(data(), two)
    assert one.read_bytes() == two.read_bytes()


def test_measuring_one_soc_keeps_the_columns_of_the_others():
    both = merged(data("sm8650", 75), data("sm8350", 68))
    assert both.socs == {"sm8350": 68, "sm8650": 75}
    assert set(both.variants[0].measured) == {"sm8350", "sm8650"}


def test_columns_of_other_versions_are_dropped():
    old = data("sm8350", 68, versions={**VERSIONS, "torch": "2.9"})
    assert merged(data("sm8650", 75), old).socs == {"sm8650": 75}


def test_a_difference_names_the_variant_the_soc_and_both_verdicts(tmp_path):
    before, after = tmp_path / "a.gz", tmp_path / "b.gz"
    save(data(), before)
    save(data(measured=Measured(CPU, "no")), after)
    (change,) = run.compare(before, after)
    assert (change.variant, change.soc, change.before.verdict, change.after.verdict) == (
        "relu[rank=4]",
        "sm8650",
        WRONG,
        CPU,
    )
    assert run.compare(before, before) == ()


def test_a_variant_on_one_side_only_is_a_difference(tmp_path):
    before, after = tmp_path / "a.gz", tmp_path / "b.gz"
    save(data(), before)
    save(replace(data(), variants=()), after)
    (change,) = run.compare(before, after)
    assert change.after is None


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\x00damaged"])
def test_a_damaged_file_is_an_error_with_a_remedy(tmp_path, content):
    path = tmp_path / "data.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="aipc ops --probe"):
        load(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="there is no data file"):
        load(tmp_path / "nothing.gz")


def test_the_shipped_file_covers_every_arch_and_three_hundred_operators():
    shipped = load(find())
    assert list(shipped.socs.values()) == [68, 69, 73, 75, 79, 81]
    assert len({name.rpartition(".")[2] for name in shipped.operators if name.startswith("torch")}) > 300
    assert all(set(item.measured) == set(shipped.socs) for item in shipped.variants)
    assert shipped.versions["torch"] and shipped.versions["onnxruntime-qnn"]


def test_the_shipped_file_is_small():
    assert find().stat().st_size < 300_000


def test_every_verdict_that_is_not_runs_says_why():
    shipped = load(find())
    silent = [
        (item.id, soc)
        for item in shipped.variants
        for soc, measured in item.measured.items()
        if measured.verdict != RUNS and not measured.reason
    ]
    assert len(silent) < len(shipped.variants) * 0.02, silent[:10]


def test_no_reason_names_a_folder_of_the_machine_it_was_measured_on():
    reasons = {measured.reason for item in load(find()).variants for measured in item.measured.values()}
    assert [text for text in reasons if "site-packages" in text or "/tmp/" in text or "/home/" in text] == []


def test_attributes_are_plain_data():
    for item in load(find()).variants:
        json.dumps(dict(item.attributes), allow_nan=False)


def test_what_a_variant_becomes_is_kept_and_counted(tmp_path):
    path = tmp_path / "data.json.gz"
    becomes = {"relu[rank=4]": {"sm8650": Becomes(RUNS, ("erf", "mish"))}}
    save(replace(data(), rewritten=becomes), path)
    assert load(path).rewritten == becomes
    assert merged(data("sm8350", 68), load(path)).rewritten == becomes
    (share,) = shares(load(path))
    assert (share.arch, share.variants, share.before, share.after) == (75, 1, 0, 1)
    assert share.rewritten == "1 (100.0 %)"


def test_what_was_not_measured_is_told_from_what_needs_quantization():
    (unmeasured,) = shares(data())
    assert unmeasured.after is None
    assert unmeasured.rewritten == "not measured"
    (partial,) = shares(data("sm8350", 68))
    assert "needs quantization" in partial.rewritten
    (without,) = shares(data("qcs6490", 68))
    assert without.rewritten == "no fp16: needs quantization"


def test_what_the_shipped_file_says_of_rewritten_variants_is_no_less_than_before():
    for share in shares(load(find())):
        assert share.after is None or share.after > share.before
