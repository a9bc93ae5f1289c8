"""One answer to what a model is deployed for, and who says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.core.config import Config, ModelConfig
from aipc.core.errors import AipcError
from aipc.pipeline.effective import EffectiveValue, in_effect

NET = ModelConfig("net", "a.py:Net", soc="sm8550", precision="w8a8")
PLAIN = ModelConfig("plain", "a.py:Plain")
CONFIG = Config(Path("/p"), soc="qcs6490", target="ssh:board")


def test_what_is_asked_for_goes_before_the_model_the_project_and_the_default():
    asked = in_effect(CONFIG, NET, soc="SM8650", precision="fp16", target="simulator", asked_by="the setting")
    assert (asked.soc, asked.precision) == (
        EffectiveValue("sm8650", "the setting"),
        EffectiveValue("fp16", "the setting"),
    )
    assert asked.target == EffectiveValue("simulator", "the setting")
    model = "[tool.aipc.models.net] in pyproject.toml"
    own = in_effect(CONFIG, NET)
    assert (own.soc, own.precision) == (EffectiveValue("sm8550", model), EffectiveValue("w8a8", model))
    project = in_effect(CONFIG, PLAIN)
    assert project.soc == EffectiveValue("qcs6490", "[tool.aipc] in pyproject.toml")
    assert project.target == EffectiveValue("ssh:board", "[tool.aipc] in pyproject.toml")
    assert project.precision.is_default
    nothing = in_effect(Config(Path("/p")), None)
    assert [item.value for item in (nothing.soc, nothing.precision, nothing.target)] == ["sm8650", "fp16", "simulator"]
    assert all(item.is_default for item in (nothing.soc, nothing.precision, nothing.target))


def test_integers_are_the_default_where_there_is_data_and_no_fp16():
    found = in_effect(CONFIG, PLAIN, calibration="images/")
    assert found.precision == EffectiveValue("w8a16", "the default for an NPU without fp16")
    assert in_effect(CONFIG, PLAIN, calibration="images/", precision="fp16").precision.value == "fp16"
    assert in_effect(Config(Path("/p")), PLAIN, calibration="images/").precision.value == "fp16"


@pytest.mark.parametrize("wrong", [{"soc": "sm0"}, {"precision": "w1a1"}])
def test_what_there_is_not_is_refused(wrong):
    with pytest.raises(AipcError):
        in_effect(CONFIG, None, **wrong)
