"""QAIRT's words become a sentence in the author's terms; words that are not known are passed on."""

from __future__ import annotations

import pytest

from aipc.core.types import Placement
from aipc.core.wording import sentence
from aipc.qairt.explain import explain, fact_of, phrases
from aipc.qairt.soc import get_soc


@pytest.mark.parametrize(
    ("reason", "rule", "words"),
    [
        ("Einsum unsupported equation: bmchw,bnmc->bmhwn", "einsum", "bmchw,bnmc->bmhwn"),
        ("QNN LayerNorm on HTP only supports normalization along the last axis.", "layernorm-axes", "last axis"),
        ("QNN BatchNorm only supports input ranks of size <= 4.", "batchnorm-rank", "rank 4"),
        ("Pad mode only support constant.", "pad-mode", "constant padding"),
        ("Operators of type `DFT` are not supported by QNN EP", "unsupported-operator", "DFT"),
        ("has incorrect Rank 6", "rank", "more dimensions"),
        ("The SocModel doesn't support FP16", "fp16-unsupported", "does not compute in fp16"),
    ],
)
def test_known_words(reason, rule, words):
    found = explain(reason, op="Op", soc=get_soc("sm8650"), placement=Placement.CPU)
    assert found.rule == rule
    assert words in found.message


def test_unknown_words_decide_nothing():
    found = explain("a new reason", op="Foo", soc=get_soc("sm8650"), placement=Placement.CPU)
    assert found.rule == "runs-on-cpu"
    assert "Foo" in found.message


def test_a_failure_on_a_chip_with_partial_fp16_is_blamed_on_fp16():
    words = '"n" generated: could not create op'
    found = explain(words, op="Resize", soc=get_soc("sm8350"), placement=Placement.FAILS)
    assert found.rule == "fp16-unsupported"


def test_a_quantized_deployment_is_never_told_to_quantize():
    reason, soc = "The SocModel doesn't support FP16", get_soc("qcs6490")
    before = explain(reason, op="Foo", soc=soc, placement=Placement.CPU)
    assert "quantize the model" in before.remedy
    after = explain(reason, op="Foo", soc=soc, placement=Placement.CPU, precision="w8a16")
    assert "quantize" not in after.remedy
    assert after.message.startswith("Foo has no form in w8a16 that QCS6490")


@pytest.mark.parametrize(("message", "remedy"), [item[1:] for item in phrases()])
def test_what_is_solved_by_deploy_is_not_said_to_run_on_the_cpu_nor_to_be_rewritten_by_hand(message, remedy):
    fact = fact_of(sentence(message, remedy))
    assert "runs on the CPU" not in fact
    assert sentence(remedy) not in fact
    assert sentence(message).startswith(fact.removesuffix("."))
