"""Whisper (Radford et al. 2022, arXiv:2212.04356): speech to text with an encoder and a decoder with a static cache.

The encoder gives the keys and values of cross attention at once, one pair a decoder layer: the decoder reads them at
every token, and computing them there would repeat the same products for each. The decoder takes one token; its own
cache has a fixed number of places, a mask says which are filled, and the token's key and value go out alone, for the
host to put in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from aipc.core.answers import Answer
from aipc.core.errors import InputError

from .keyword_module import keyword_module
from .likeliest import steps_of
from .recipe import ApplicationGraph, Inputs, Recipe, RecipeOption, sample_files
from .runners import whisper as runner

MASKED = -30000.0
"""Added to scores of places that hold nothing: fp16 has no -3.4e38, and e to this is 0 in fp16 and fp32 alike."""

Tensors = Mapping[str, torch.Tensor]


class WhisperRecipe(Recipe):
    FAMILY = "whisper"
    RUNNER = "whisper"
    OPTIONS: ClassVar = {
        "seconds": RecipeOption(
            10, "window of the encoder in seconds of audio, at most what the model was trained with (30)"
        ),
        "tokens": RecipeOption(64, "most tokens of one answer, with the tokens that start it"),
    }

    @staticmethod
    def resolve_samples(samples: Sequence[str], root: Path) -> tuple[str, ...]:
        return tuple(str(path) for path in sample_files(samples, root))

    @staticmethod
    def takes(model: Any) -> bool:
        return type(model).__name__ == "WhisperForConditionalGeneration"

    @cached_property
    def windowed(self) -> Any:
        """The model, its encoder cut to the positions of ``seconds``; everything else stays as it is.

        Raises:
            InputError: a window or a number of tokens that the model has no positions for.
        """
        config, positions = self.model.config, self.options["seconds"] * 50
        if not 0 < positions <= config.max_source_positions:
            most = config.max_source_positions // 50
            raise InputError(
                f"a window of {self.options['seconds']} s is more than the model's {most} s",
                remedy=f"set options = {{ seconds = {most} }} or less",
            )
        if not len(self.prompt) < self.options["tokens"] <= config.max_target_positions:
            raise InputError(
                f"answers of {self.options['tokens']} tokens do not fit the model, which has "
                f"{config.max_target_positions} positions",
                remedy=f"set options = {{ tokens = {min(64, config.max_target_positions)} }}",
            )
        # In place: a copy's modules would not be known as those that the author constructed, and take memory.
        model = self.model
        model.config.max_source_positions = positions
        table = nn.Embedding(positions, config.d_model)
        table.weight = nn.Parameter(model.model.encoder.embed_positions.weight[:positions].detach().clone(), False)
        model.model.encoder.embed_positions = table
        model.model.encoder.max_source_positions = positions
        return model

    @property
    def prompt(self) -> list[int]:
        """The tokens that start every answer: start, language and task of a multilingual model, no timestamps."""
        generation, config = self.model.generation_config, self.model.config
        tokens = [int(generation.decoder_start_token_id or config.decoder_start_token_id)]
        languages = getattr(generation, "lang_to_id", None)
        if languages and getattr(generation, "is_multilingual", True):
            language = getattr(generation, "language", None) or "en"
            tokens.append(int(languages[f"<|{language}|>"]))
            tokens.append(int(generation.task_to_id[getattr(generation, "task", None) or "transcribe"]))
        if getattr(generation, "no_timestamps_token_id", None) is not None:
            tokens.append(int(generation.no_timestamps_token_id))
        return tokens

    def graphs(self) -> dict[str, ApplicationGraph]:
        encoder, decoder = self.windowed.model.encoder, self.windowed.model.decoder
        layers = range(len(decoder.layers))
        past = [f"past_{kind}_{i}" for i in layers for kind in ("key", "value")]
        cross = [f"cross_{kind}_{i}" for i in layers for kind in ("key", "value")]
        names = ["input_ids", "position_ids", "attention_mask", *past, *cross]
        # A part's SQNR is information; the application's gate is the tokens. What is below this is no such graph.
        tolerance = {"sqnr_db": 20.0, "capture_sqnr_db": 80.0}
        return {
            "encoder": ApplicationGraph(
                module=keyword_module(self.windowed, ["input_features"], lambda t: encode(encoder, decoder, t)),
                inputs=lambda: {"input_features": self._features[0][1]},
                samples=lambda: ({"input_features": item} for _, item in self._features),
                tolerance=tolerance,
            ),
            "decoder": ApplicationGraph(
                module=keyword_module(self.windowed, names, lambda t: decode(self.windowed, t)),
                inputs=lambda: list(self._decoding(self._features[0][1], len(self.prompt) + 3))[-1],
                samples=lambda: (
                    item for _, features in self._features for item in list(self._decoding(features, 12))[::3]
                ),
                tolerance=tolerance,
            ),
        }

    @cached_property
    def _features(self) -> list[tuple[str, torch.Tensor]]:
        """(sample, float32[1, mel bins, frames]) of every sample, by the library's own feature extractor."""
        from transformers import WhisperFeatureExtractor

        extractor = WhisperFeatureExtractor(
            feature_size=self.model.config.num_mel_bins, chunk_length=self.options["seconds"]
        )
        samples_and_features = []
        for sample in self.samples:
            try:
                audio = runner.read_audio(np, Path(sample), runner.RATE)
            except ValueError as error:
                raise InputError(str(error), remedy="correct samples in the configuration") from error
            if len(audio) > self.options["seconds"] * runner.RATE:
                seconds = len(audio) / runner.RATE
                raise InputError(
                    f"{sample} has {seconds:.1f} s of audio and the window is {self.options['seconds']} s",
                    remedy="set options = { seconds = … } in the configuration, or use shorter samples",
                )
            features = extractor(audio, sampling_rate=runner.RATE, return_tensors="pt").input_features
            samples_and_features.append((sample, features))
        if not samples_and_features:
            raise InputError("the application has no samples", remedy='set samples = ["clips/*.wav"]')
        return samples_and_features

    def _decoding(self, features: torch.Tensor, steps: int) -> Iterator[Inputs]:
        """The decoder's inputs at each of the first steps of PyTorch's own decoding."""
        decoder = self.windowed.model.decoder
        length, layers = self.options["tokens"], len(decoder.layers)
        attention = decoder.layers[0].self_attn
        shape = (1, attention.num_heads, length - 1, attention.head_dim)
        past = {f"past_{kind}_{i}": torch.zeros(shape) for i in range(layers) for kind in ("key", "value")}
        with torch.no_grad():
            cross = encode(self.windowed.model.encoder, decoder, {"input_features": features})
            tokens = list(self.prompt)
            for at in range(min(steps, length)):
                mask = torch.full((1, 1, 1, length), MASKED)
                mask[..., :at] = 0
                mask[..., -1] = 0
                inputs = {
                    "input_ids": torch.tensor([[tokens[at]]], dtype=torch.int32),
                    "position_ids": torch.tensor([[at]], dtype=torch.int32),
                    "attention_mask": mask,
                    **{name: value.clone() for name, value in past.items()},
                    **cross,
                }
                yield inputs
                outputs = decode(self.windowed, inputs)
                if at < length - 1:
                    for name, value in past.items():
                        value[:, :, at] = outputs[name.replace("past", "new")][:, :, 0]
                if at + 1 == len(tokens):
                    tokens.append(int(outputs["logits"][0].argmax()))

    def host(self) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
        from transformers import WhisperFeatureExtractor

        extractor = WhisperFeatureExtractor(feature_size=self.model.config.num_mel_bins)
        generation, config = self.model.generation_config, self.model.config
        end = generation.eos_token_id if generation.eos_token_id is not None else config.eos_token_id
        numbers = {
            "seconds": self.options["seconds"],
            "tokens": self.options["tokens"],
            "layers": config.decoder_layers,
            "heads": config.decoder_attention_heads,
            "head_size": config.d_model // config.decoder_attention_heads,
            "prompt": self.prompt,
            "end": list(end) if isinstance(end, (list, tuple)) else [end],
            "suppress": list(generation.suppress_tokens or ()),
            "suppress_first": list(generation.begin_suppress_tokens or ()),
            "no_speech": getattr(generation, "no_speech_token_id", None),
            "masked": MASKED,
        }
        return numbers, {"mel_filters": np.asarray(extractor.mel_filters, np.float32)}

    def answers(self) -> tuple[Answer, ...]:
        numbers, _ = self.host()
        most = self.options["tokens"] - len(self.prompt)
        answers = []
        for sample, features in self._features:
            with torch.no_grad():
                sequence = self.windowed.generate(
                    features,
                    decoder_input_ids=torch.tensor([self.prompt]),
                    max_new_tokens=most,
                    do_sample=False,
                    num_beams=1,
                )[0]
                ids = sequence.tolist()
                ids = ids[len(self.prompt) :] if ids[: len(self.prompt)] == self.prompt else ids
                if len(ids) < most and ids[-1:] != numbers["end"][:1]:
                    ids.append(numbers["end"][0])  # generate leaves it out
                whole = torch.tensor([[*self.prompt, *ids]])
                logits = self.windowed(features, decoder_input_ids=whole).logits[0, len(self.prompt) - 1 : -1]
            logits[:, numbers["suppress"]] = -torch.inf
            logits[:1, numbers["suppress_first"]] = -torch.inf
            text = self.tokenizer.decode(ids) if self.tokenizer else ""
            answers.append(Answer(sample=sample, tokens=tuple(ids), text=text.strip(), steps=steps_of(logits)))
        return tuple(answers)


def encode(encoder: Any, decoder: Any, tensors: Tensors) -> dict[str, torch.Tensor]:
    """Features float32[1, bins, 2n] to ``cross_key_i`` and ``cross_value_i``, float32[1, heads, n, head size]."""
    hidden = encoder(tensors["input_features"]).last_hidden_state
    outputs = {}
    for i, layer in enumerate(decoder.layers):
        attention = layer.encoder_attn
        outputs[f"cross_key_{i}"] = _heads(attention.k_proj(hidden), attention)
        outputs[f"cross_value_{i}"] = _heads(attention.v_proj(hidden), attention)
    return outputs


def decode(model: Any, tensors: Tensors) -> dict[str, torch.Tensor]:
    """One token of the decoder.

    Args:
        tensors: ``input_ids`` and ``position_ids`` int32[1, 1], ``attention_mask`` float32[1, 1, 1, places + 1] that is
            added to the scores, ``past_*`` float32[1, heads, places, head size], ``cross_*`` as :func:`encode` gives.

    Returns:
        ``logits`` float32[1, vocabulary], ``new_key_i`` and ``new_value_i`` float32[1, heads, 1, head size].
    """
    decoder = model.model.decoder
    hidden = decoder.embed_tokens(tensors["input_ids"])
    hidden = hidden + nn.functional.embedding(tensors["position_ids"], decoder.embed_positions.weight)
    outputs: dict[str, torch.Tensor] = {}
    for i, layer in enumerate(decoder.layers):
        own, cross = layer.self_attn, layer.encoder_attn
        normed = layer.self_attn_layer_norm(hidden)
        key, value = _heads(own.k_proj(normed), own), _heads(own.v_proj(normed), own)
        outputs[f"new_key_{i}"], outputs[f"new_value_{i}"] = key, value
        keys = torch.cat((tensors[f"past_key_{i}"], key), 2)
        values = torch.cat((tensors[f"past_value_{i}"], value), 2)
        hidden = hidden + _attend(own, normed, keys, values, tensors["attention_mask"])
        normed = layer.encoder_attn_layer_norm(hidden)
        hidden = hidden + _attend(cross, normed, tensors[f"cross_key_{i}"], tensors[f"cross_value_{i}"], None)
        normed = layer.final_layer_norm(hidden)
        hidden = hidden + layer.fc2(layer.activation_fn(layer.fc1(normed)))
    return {"logits": model.proj_out(decoder.layer_norm(hidden))[:, 0], **outputs}


def _heads(value: torch.Tensor, attention: Any) -> torch.Tensor:
    """[1, n, width] as [1, heads, n, head size]."""
    return value.view(1, -1, attention.num_heads, attention.head_dim).transpose(1, 2)


def _attend(
    attention: Any, hidden: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    queries = _heads(attention.q_proj(hidden) * attention.scaling, attention)
    scores = queries @ keys.transpose(2, 3)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    mixed: torch.Tensor = attention.out_proj((weights @ values).transpose(1, 2).reshape(1, 1, -1))
    return mixed


RECIPE = WhisperRecipe
