"""Decoder-only language models as applications, and as bundles that Genie runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aipc import engine
from aipc.apps.gates import token_gate
from aipc.apps.worker_jobs import RUN_GENIE
from aipc.core.errors import AipcError
from aipc.core.workers import WorkerPool

SHAPE = {
    "vocab_size": 48,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
}


@pytest.mark.parametrize("family", ["Llama", "Qwen2", "Qwen3"])
def test_steps_behind_a_cache_are_the_librarys_own_forward(project: Path, family: str) -> None:
    import torch
    import transformers
    from tokenizers import Tokenizer

    from aipc.recipes.decoder_only import step
    from aipc.recipes.recipe import recipe_for, resolved_options

    torch.manual_seed(1)
    config = getattr(transformers, f"{family}Config")(**SHAPE)
    model = getattr(transformers, f"{family}ForCausalLM")(config).eval()
    ids = list(range(3, 12))
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits[0]
    kind = recipe_for(model, None)
    options = resolved_options(kind, {"context": 16, "prefill": 4, "tokens": 4})
    recipe = kind(model, Tokenizer.from_file(str(project / "llama-words.json")), options, ["w1"])
    shapes = {"key": (2, 1, 8, 16), "value": (2, 1, 16, 8)}
    past = {name: torch.zeros(shapes[name.split("_")[1]]) for name in recipe.past_names}
    found, at = [], 0
    for count, size in ((4, 4), (3, 4), (1, 1), (1, 1)):  # a full part, one that is padded, single tokens
        with torch.no_grad():
            outputs = step(model, recipe._inputs(ids[at : at + count], at, past, size))
        for name in recipe.past_names:
            axis = 3 if "key" in name else 2
            past[name].narrow(axis, at, count).copy_(outputs[f"{name}_out"].narrow(axis, 0, count))
        found.append(outputs["logits"][0, :count].float())
        at += count
    torch.testing.assert_close(torch.cat(found), expected, atol=5e-3, rtol=5e-3)
    with torch.no_grad():  # and the model itself is as it was
        torch.testing.assert_close(model(torch.tensor([ids])).logits[0], expected)


def test_the_package_gives_pytorchs_tokens_where_squares_leave_fp16(talk: engine.AppReport) -> None:
    assert talk.ok and talk.gate, talk.gate
    assert [answer.tokens for answer in talk.answers] == [answer.tokens for answer in talk.expected]
    assert len({answer.tokens for answer in talk.expected}) == 3
    assert list(talk.graphs) == ["prefill", "decode"]


def test_genie_gives_the_same_tokens_from_the_same_package(talk: engine.AppReport) -> None:
    assert talk.genie and talk.genie.ok and talk.genie.value == 1.0, (talk.genie, talk.genie_note)


def test_a_bundle_that_answers_wrongly_does_not_pass(talk: engine.AppReport, pool: WorkerPool, tmp_path: Path) -> None:
    import shutil

    assert talk.package
    package = tmp_path / "package"
    shutil.copytree(talk.package, package)
    config = package / "genie_config.json"
    text = config.read_text("utf-8")
    config.write_text(text.replace('"bos-token": -1', '"bos-token": 1'), "utf-8")  # one more token before the prompt
    samples = [answer.sample for answer in talk.expected]
    answers = pool.run(RUN_GENIE, {"package": str(package), "samples": samples})
    assert not token_gate(talk.expected, answers).ok
    config.write_text(text.replace('"context": {', '"context": {"sizes": 1,'), "utf-8")
    with pytest.raises(AipcError, match="Genie's GenieDialogConfig_createFromJson ended with status"):
        pool.run(RUN_GENIE, {"package": str(package), "samples": samples})


def test_the_program_answers_a_prompt(talk: engine.AppReport) -> None:
    assert talk.package
    command = [sys.executable, str(Path(talk.package) / "run.py"), "--prompt", "w7"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == talk.expected[1].text != ""
    assert engine.packages_to_verify(Path(talk.package), every=False, cwd=Path.cwd())
    assert not list(Path(talk.package).rglob("__pycache__"))


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (" ".join(["w3"] * 251), "the prompt has 251 tokens and the context of 256 has room for 250 beside the answer"),
        ("", "the prompt is empty"),
    ],
)
def test_a_prompt_that_cannot_be_answered_is_one_sentence(
    talk: engine.AppReport, pool: WorkerPool, prompt: str, sentence: str
) -> None:
    assert talk.package
    with pytest.raises(AipcError, match=sentence):
        engine.run_application(Path(talk.package), ["--prompt", prompt], pool=pool)


@pytest.mark.parametrize(
    ("application", "sentence"),
    [
        ("long-prompt", "the prompt 'w1 w2 w3 w4 w5' has 5 tokens and the context has room for 4"),
        ("mute", "a language model needs its tokenizer"),
    ],
)
def test_a_language_model_that_cannot_be_made_is_one_sentence(
    project: Path, pool: WorkerPool, application: str, sentence: str
) -> None:
    with pytest.raises(AipcError, match=sentence):
        engine.deploy_application(engine.ApplicationRequest(application=application, cwd=project), pool)


def test_a_checkpoint_that_lacks_a_tensor_is_one_sentence(tmp_path: Path, pool: WorkerPool, project: Path) -> None:
    import shutil

    import torch
    from safetensors.torch import load_file, save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    folder = tmp_path / "tiny-llama"
    LlamaForCausalLM(LlamaConfig(**SHAPE)).save_pretrained(folder)
    shutil.copyfile(project / "llama-words.json", folder / "tokenizer.json")
    request = engine.ApplicationRequest(application=str(folder), cwd=tmp_path)
    file = folder / "model.safetensors"
    tensors = load_file(file)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(AipcError, match=r"lacks the tensor model.layers.1.mlp.up_proj.weight: its values"):
        engine.check_application(request, full=False, pool=pool)
