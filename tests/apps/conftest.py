"""A Whisper and a Llama of one layer with random weights, deployed once with the real compiler and simulator."""

from __future__ import annotations

import json
import math
import struct
import wave
from pathlib import Path

import pytest

from aipc import engine
from aipc.core.workers import WorkerPool

MODELS = """\
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration


def whisper():
    torch.manual_seed(4)
    config = WhisperConfig(
        vocab_size=40, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, max_source_positions=100,
        max_target_positions=16, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        init_std=0.2,
    )
    model = WhisperForConditionalGeneration(config)
    generation = model.generation_config
    generation.decoder_start_token_id, generation.eos_token_id = 1, 2
    generation.suppress_tokens, generation.begin_suppress_tokens = [3, 4], [2]
    generation.is_multilingual = False
    return model


def llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=48, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, initializer_range=0.3,
    )
    model = LlamaForCausalLM(config)
    # As in trained models, a channel of the hidden states is so large that its square is none of fp16's numbers.
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 3] = 2000.0
        layer = model.model.layers[0]
        for norm in (layer.input_layernorm, layer.post_attention_layernorm, model.model.norm):
            norm.weight *= 1000
            norm.weight[3] = 0.1
        model.model.norm.weight /= 100  # logits of some tens, as trained models have
    return model


def linear():
    return torch.nn.Linear(2, 2)


def many_words():
    return "many-words.json"
"""
CONFIG = """\
[tool.aipc]
soc = "sm8650"

[tool.aipc.apps.speech]
entry = "models.py:whisper"
tokenizer = "words.json"
options = { seconds = 1, tokens = 10 }
samples = ["clips/*.wav"]

[tool.aipc.apps.wrong-words]
entry = "models.py:whisper"
tokenizer = "models.py:many_words"
samples = ["clips/*.wav"]

[tool.aipc.apps.wrong-option]
entry = "models.py:whisper"
options = { minutes = 1 }

[tool.aipc.apps.wrong-window]
entry = "models.py:whisper"
options = { seconds = 30 }
samples = ["clips/*.wav"]

[tool.aipc.apps.no-clips]
entry = "models.py:whisper"
options = { seconds = 1, tokens = 10 }
samples = ["nowhere/*.wav"]

[tool.aipc.apps.talk]
entry = "models.py:llama"
tokenizer = "llama-words.json"
options = { context = 256, prefill = 32, tokens = 6 }
samples = ["w11 w12 w13 w14 w15 w16", "w7", "w20 w21 w22 w23"]

[tool.aipc.apps.long-prompt]
entry = "models.py:llama"
tokenizer = "llama-words.json"
options = { context = 8, prefill = 4, tokens = 4 }
samples = ["w1 w2 w3 w4 w5"]

[tool.aipc.apps.mute]
entry = "models.py:llama"

[tool.aipc.apps.unknown-family]
entry = "models.py:linear"
"""


def words(path: Path, count: int) -> None:
    """A tokenizer of ``count`` words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({f"w{number}": number for number in range(count)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.Fuse()
    tokenizer.save(str(path))


def tone(path: Path, *, seconds: float, hertz: float = 440.0, rate: int = 16000, level: float = 0.5) -> Path:
    """A .wav file of 16 bits, in which the pitch rises."""
    count = int(seconds * rate)
    values = [level * math.sin(2 * math.pi * hertz * (1 + n / count) * n / rate) for n in range(count)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{count}h", *(round(value * 32767) for value in values)))
    return path


@pytest.fixture(scope="session")
def pool():
    with WorkerPool() as pool:
        yield pool


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("applications")
    (directory / "models.py").write_text(MODELS, "utf-8")
    (directory / "pyproject.toml").write_text(CONFIG, "utf-8")
    (directory / "clips").mkdir()
    tone(directory / "clips" / "a.wav", seconds=0.9)
    tone(directory / "clips" / "b.wav", seconds=0.4, hertz=200, rate=22050)
    words(directory / "words.json", 40)
    words(directory / "many-words.json", 41)
    words(directory / "llama-words.json", 48)
    return directory


@pytest.fixture(scope="session")
def speech(project: Path, pool: WorkerPool) -> engine.AppReport:
    return engine.deploy_application(engine.ApplicationRequest(application="speech", cwd=project), pool)


@pytest.fixture(scope="session")
def talk(project: Path, pool: WorkerPool) -> engine.AppReport:
    return engine.deploy_application(engine.ApplicationRequest(application="talk", cwd=project), pool)


@pytest.fixture
def edited(speech: engine.AppReport, tmp_path: Path):
    """A copy of the package, whose golden answers a function has changed."""
    import shutil

    assert speech.package

    def edit(change) -> Path:
        package = tmp_path / "package"
        shutil.copytree(speech.package, package)
        golden, manifest = package / "golden" / "answers.json", package / "manifest.json"
        answers = json.loads(golden.read_text("utf-8"))
        change(answers)
        golden.write_text(json.dumps(answers), "utf-8")
        from aipc.core.hashing import hash_file

        listed = json.loads(manifest.read_text("utf-8"))
        listed["files"]["golden/answers.json"] = hash_file(golden)
        manifest.write_text(json.dumps(listed), "utf-8")
        return package

    return edit
