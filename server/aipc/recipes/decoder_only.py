"""Decoder-only language models of transformers (Llama, SmolLM, Qwen2 and Qwen3, and what is built like them).

Two static graphs: ``prefill`` reads a part of the prompt, ``decode`` one token. Names and layouts are those that
Qualcomm's Genie drives (its AI Hub bundles have them): T tokens a call, C places of context, H key-value heads, D head
size::

    input_ids int32[1, T]    attention_mask float16[1, 1, T, C]
    position_ids_cos, position_ids_sin float16[1, 1, T, D/2]
    past_key_i_in float16[H, 1, D, C - T]    past_value_i_in float16[H, 1, C - T, D]
    logits float16[1, T, vocabulary]   past_key_i_out float16[H, 1, D, T]   past_value_i_out float16[H, 1, T, D]

The host owns the cache: it puts the outputs behind what is there. Rotary tables and masks are inputs, so that one graph
serves every position.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from aipc.core.answers import Answer
from aipc.core.errors import InputError

from .fused_norms import fuse_rms_norms
from .keyword_module import keyword_module
from .likeliest import steps_of
from .recipe import ApplicationGraph, Inputs, Recipe, RecipeOption

MASKED = -30000.0
"""Added to scores of places that hold nothing: fp16 has no -3.4e38, and e to this is 0 in fp16 and fp32 alike."""

_PROMPT = "\ue000PROMPT\ue000"


class GivenRotary(nn.Module):
    """The model's rotary tables, or those that the graph is given."""

    def __init__(self, own: nn.Module) -> None:
        super().__init__()
        self.own = own
        self.tables: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, hidden: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """The tables that were given instead, or what the own module makes of ``hidden`` ``[batch, tokens, size]``."""
        return self.tables if self.tables is not None else self.own(hidden, *args, **kwargs)


class DecoderOnlyRecipe(Recipe):
    FAMILY = "decoder-only"
    RUNNER = "decoder_only"
    OPTIONS: ClassVar = {
        "context": RecipeOption(256, "places of the cache: most tokens of prompt and answer together"),
        "prefill": RecipeOption(32, "tokens of the prompt that one call reads"),
        "tokens": RecipeOption(32, "most tokens of one answer"),
        "chat": RecipeOption(1, "1: prompts go into the checkpoint's chat template; 0: as they are"),
        "genie": RecipeOption(
            1, "1: the package is also a bundle for Qualcomm's Genie, which is run to verify it; 0: it is not"
        ),
        "layers": RecipeOption(0, "only the first so many layers, to try a large model out; 0: all"),
    }

    @staticmethod
    def takes(model: Any) -> bool:
        base = getattr(model, "model", None)
        parts = ("layers", "rotary_emb", "embed_tokens", "norm")
        return type(model).__name__.endswith("ForCausalLM") and all(hasattr(base, part) for part in parts)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config, base = self.model.config, self.model.model
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        if kinds != {"full_attention"}:
            others = ", ".join(sorted(kinds - {"full_attention"}))
            raise InputError(
                f"{type(self.model).__name__} has layers with {others}, which the recipe {self.FAMILY} does not cover",
                remedy="deploy its graphs as models, or write a recipe for it",
            )
        if self.tokenizer is None:
            raise InputError("a language model needs its tokenizer", remedy="set tokenizer in the configuration")
        options = self.options
        if not 0 < options["prefill"] < options["context"] or not 0 < options["tokens"] < options["context"]:
            raise InputError(
                f"a context of {options['context']} tokens does not hold a prefill of {options['prefill']} and an "
                f"answer of {options['tokens']}",
                remedy="set a larger context in options",
            )
        if options["layers"]:
            base.layers = base.layers[: options["layers"]]
            config.num_hidden_layers = len(base.layers)
        if not isinstance(base.rotary_emb, GivenRotary):
            base.rotary_emb = GivenRotary(base.rotary_emb)

    @property
    def head_size(self) -> int:
        config = self.model.config
        return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)

    @property
    def past_names(self) -> list[str]:
        layers = range(self.model.config.num_hidden_layers)
        return [f"past_{kind}_{i}" for i in layers for kind in ("key", "value")]

    def graphs(self) -> dict[str, ApplicationGraph]:
        fuse_rms_norms(self.model)
        return {"prefill": self._graph(self.options["prefill"]), "decode": self._graph(1)}

    def _graph(self, tokens: int) -> ApplicationGraph:
        names = ["input_ids", "attention_mask", "position_ids_cos", "position_ids_sin"]
        names += [f"{name}_in" for name in self.past_names]
        return ApplicationGraph(
            module=keyword_module(self.model, names, lambda t: step(self.model, t)),
            inputs=lambda: self._step_inputs(tokens)[-1],
            samples=lambda: iter(self._step_inputs(tokens)),
            # A part's SQNR is information; the application's gate is the tokens. fp32 itself has less than elsewhere:
            # a few channels of the hidden states are a thousand times the others.
            tolerance={"sqnr_db": 15.0, "capture_sqnr_db": 60.0},
        )

    @cached_property
    def prompts(self) -> list[list[int]]:
        """Every sample as tokens, in its chat template.

        Raises:
            InputError: one that leaves no place for an answer.
        """
        before, after = self.template
        prompts = []
        for sample in self.samples:
            tokens = self.tokenizer.encode(before + sample + after, add_special_tokens=not before).ids
            most = self.options["context"] - self.options["tokens"]
            if len(tokens) > most:
                raise InputError(
                    f"the prompt {sample[:40]!r} has {len(tokens)} tokens and the context has room for {most}",
                    remedy="set a larger context in options, or shorten the prompt",
                )
            prompts.append(tokens)
        if not prompts:
            raise InputError("the application has no samples", remedy='set samples = ["a prompt", …]')
        return prompts

    @cached_property
    def template(self) -> tuple[str, str]:
        """What stands before and behind a prompt: the chat template, which the host program then needs no Jinja for."""
        if not self.options["chat"] or self.chat is None:
            return "", ""
        before, separator, after = self.chat(_PROMPT).partition(_PROMPT)
        return (before, after) if separator else ("", "")

    @cached_property
    def rotary(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Cosines and sines of every position, float32[context, D/2], by the model's own module."""
        base = self.model.model
        positions = torch.arange(self.options["context"])[None]
        cos, sin = base.rotary_emb.own(torch.zeros(1, 1, 1), position_ids=positions)
        half = self.head_size // 2
        if cos.shape[-1] != self.head_size or not torch.equal(cos[..., :half], cos[..., half:]):
            raise InputError(
                f"{type(self.model).__name__} turns only a part of each head, which the recipe {self.FAMILY} does not "
                "cover",
                remedy="deploy its graphs as models, or write a recipe for it",
            )
        return cos[0, :, :half].numpy(), sin[0, :, :half].numpy()

    def _step_inputs(self, tokens: int) -> list[Inputs]:
        """A step of ``tokens`` in the middle of every prompt, behind what PyTorch has in its cache there."""
        config, context = self.model.config, self.options["context"]
        steps = []
        for prompt in self.prompts:
            at = max(0, min(len(prompt) // 2, len(prompt) - tokens))
            heads, size = config.num_key_value_heads, self.head_size
            shapes = {"key": (heads, 1, size, context), "value": (heads, 1, context, size)}
            past = {name: torch.zeros(shapes[name.split("_")[1]]) for name in self.past_names}
            if at:
                with torch.no_grad():
                    whole = self._inputs(prompt[:at], 0, past, at)
                    outputs = step(self.model, whole)
                for name in self.past_names:
                    axis = 3 if "key" in name else 2
                    past[name].narrow(axis, 0, at).copy_(outputs[f"{name}_out"])
            steps.append(self._inputs(prompt[at : at + tokens], at, past, tokens))
        return steps

    def _inputs(self, ids: list[int], at: int, past: Mapping[str, torch.Tensor], tokens: int) -> Inputs:
        """The inputs of one call, as the host program makes them."""
        context = self.options["context"]
        cos, sin = self.rotary
        padded = torch.zeros(1, tokens, dtype=torch.int32)
        padded[0, : len(ids)] = torch.tensor(ids, dtype=torch.int32)
        mask = torch.full((1, 1, tokens, context), MASKED)
        mask[..., :at] = 0
        mask[0, 0, :, context - tokens :] += torch.tril(torch.full((tokens, tokens), -MASKED))
        rows = [min(at + row, context - 1) for row in range(tokens)]
        return {
            "input_ids": padded,
            "attention_mask": mask.half(),
            "position_ids_cos": torch.from_numpy(cos[rows])[None, None].half(),
            "position_ids_sin": torch.from_numpy(sin[rows])[None, None].half(),
            **{
                f"{name}_in": past[name].narrow(3 if "key" in name else 2, 0, context - tokens).contiguous().half()
                for name in self.past_names
            },
        }

    def _ends(self) -> list[int]:
        end = self.model.generation_config.eos_token_id
        if end is None:
            end = self.model.config.eos_token_id
        return [] if end is None else list(end) if isinstance(end, (list, tuple)) else [int(end)]

    def host(self) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
        config, (before, after) = self.model.config, self.template
        cos, sin = self.rotary
        rope = getattr(config, "rope_parameters", None) or {}
        numbers = {
            **{name: self.options[name] for name in ("context", "prefill", "tokens")},
            "layers": config.num_hidden_layers,
            "heads": config.num_key_value_heads,
            "head_size": self.head_size,
            "vocabulary": config.vocab_size,
            "begin": config.bos_token_id,
            "end": self._ends(),
            "before": before,
            "after": after,
            "masked": MASKED,
            "rope_theta": float(rope.get("rope_theta", getattr(config, "rope_theta", 10000.0))),
            "rope_type": str(rope.get("rope_type", "default")),
        }
        return numbers, {"cos": cos, "sin": sin}

    def answers(self) -> tuple[Answer, ...]:
        answers = []
        for sample, prompt in zip(self.samples, self.prompts, strict=True):
            ids = torch.tensor([prompt])
            with torch.no_grad():
                sequence = self.model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=self.options["tokens"],
                    do_sample=False,
                    num_beams=1,
                    eos_token_id=self._ends() or None,
                    pad_token_id=(self._ends() or [0])[0],
                )
                logits = self.model(sequence).logits[0, len(prompt) - 1 : -1]
            tokens = sequence[0, len(prompt) :].tolist()
            text = self.tokenizer.decode(tokens)
            answers.append(Answer(sample=sample, tokens=tuple(tokens), text=text.strip(), steps=steps_of(logits)))
        return tuple(answers)


def step(model: Any, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """One call of the model behind a cache, in the layout above; computed in fp32."""
    from transformers import DynamicCache

    base, layers = model.model, model.config.num_hidden_layers
    tokens = tensors["input_ids"].shape[1]
    tables = (tensors["position_ids_cos"], tensors["position_ids_sin"])
    cos, sin = (torch.cat((table, table), -1)[0].float() for table in tables)
    cache = DynamicCache()
    for i in range(layers):
        # The axis of size 1 is moved by reshaping: a transpose of it costs a pass over the cache.
        keys = tensors[f"past_key_{i}_in"].float().squeeze(1).transpose(1, 2).unsqueeze(0)
        cache.update(keys, tensors[f"past_value_{i}_in"].float().squeeze(1).unsqueeze(0), i)
    # The argument's name before and since transformers 5.24.
    cache_argument = "cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values"
    base.rotary_emb.tables = (cos, sin)
    try:
        hidden = base(
            input_ids=tensors["input_ids"],
            attention_mask=tensors["attention_mask"].float(),
            position_ids=torch.zeros(1, tokens, dtype=torch.int64),
            use_cache=True,
            **{cache_argument: cache},
        ).last_hidden_state
    finally:
        base.rotary_emb.tables = None
    outputs = {"logits": model.lm_head(hidden).half()}
    for i in range(layers):
        layer: Any = cache.layers[i]
        outputs[f"past_key_{i}_out"] = layer.keys[0, :, -tokens:].transpose(1, 2).unsqueeze(1).half()
        outputs[f"past_value_{i}_out"] = layer.values[0, :, -tokens:].unsqueeze(1).half()
    return outputs


RECIPE = DecoderOnlyRecipe
