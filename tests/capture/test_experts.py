"""A mixture of experts of transformers is captured without the groups whose sizes depend on values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aipc.capture.jobs import capture, verify_capture
from aipc.core.config import ModelRef

SOURCE = """
from transformers import MixtralConfig, MixtralForCausalLM


def build():
    torch.manual_seed(0)
    return MixtralForCausalLM(
        MixtralConfig(
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            num_local_experts=3,
            num_experts_per_tok=2,
            vocab_size=20,
            use_cache=False,
        )
    )


def ids():
    return {"input_ids": torch.arange(6)[None]}
"""


def test_experts_are_captured_densely(model_file: Callable[..., ModelRef], tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from dataclasses import replace

    ref = replace(model_file(SOURCE, "build"), inputs="model.py:ids")
    result = capture(lambda event: None, ref=ref, out=str(tmp_path / "out"))
    assert result.ok, result.findings
    accuracy = verify_capture(lambda event: None, directory=str(tmp_path / "out"))
    assert min(output.sqnr_db for output in accuracy) >= 100
