#!/usr/bin/env python3
"""A language model on the NPU. Needs onnxruntime, onnxruntime-qnn, numpy and tokenizers; nothing else.

    python run.py --prompt "What is the capital of France?"     print the answer as it grows
    python run.py --prompt A --prompt B --json       tokens, text and logits as one JSON document
    python run.py --self-test                        answer the golden prompts and compare with PyTorch's tokens

Greedy: the likeliest token each time. Exit status: 0 done, 1 the self-test failed, 2 could not run.
"""

import argparse
import sys


def problem(text):
    from host import Problem

    return Problem(text)


class Cache:
    """Keys and values of every layer: [H, 1, D, context] and [H, 1, context, D], as far as they are filled."""

    def __init__(self, numpy, host):
        self.numpy, self.context, self.filled = numpy, host["context"], 0
        heads, size = host["heads"], host["head_size"]
        self.arrays = {}
        for i in range(host["layers"]):
            self.arrays["past_key_%d" % i] = numpy.zeros((heads, 1, size, self.context), numpy.float16)
            self.arrays["past_value_%d" % i] = numpy.zeros((heads, 1, self.context, size), numpy.float16)

    def inputs(self, tokens):
        """What a call of ``tokens`` reads: every place but the last ``tokens``."""
        places = self.context - tokens
        return {
            name + "_in": array[..., :places] if "key" in name else array[:, :, :places]
            for name, array in self.arrays.items()
        }

    def append(self, outputs, count):
        """Put the first ``count`` of a call's keys and values behind what is there."""
        for name, array in self.arrays.items():
            new = outputs[name + "_out"]
            if "key" in name:
                array[..., self.filled : self.filled + count] = new[..., :count]
            else:
                array[:, :, self.filled : self.filled + count] = new[:, :, :count]
        self.filled += count


def call(package, graph, tables, cache, ids, tokens):
    """Run ``graph``, which takes ``tokens``, on as many or fewer; the logits float64[ids, vocabulary]."""
    numpy, host, context, at = package.numpy, package.host, cache.context, cache.filled
    padded = numpy.zeros((1, tokens), numpy.int32)
    padded[0, : len(ids)] = ids
    mask = numpy.full((1, 1, tokens, context), host["masked"], numpy.float32)
    mask[..., :at] = 0
    mask[0, 0, :, context - tokens :] -= numpy.tril(numpy.full((tokens, tokens), host["masked"], numpy.float32))
    rows = [min(at + row, context - 1) for row in range(tokens)]
    outputs = graph(
        dict(
            cache.inputs(tokens),
            input_ids=padded,
            attention_mask=mask,
            position_ids_cos=tables["cos"][rows][None, None],
            position_ids_sin=tables["sin"][rows][None, None],
        )
    )
    cache.append(outputs, len(ids))
    return outputs["logits"][0, : len(ids)].astype(numpy.float64)


def generate(package, graphs, tables, tokenizer, prompt, stream, most):
    """The answer to one prompt: tokens, text, and the two likeliest tokens at each position."""
    from host import likeliest

    host, cache = package.host, Cache(package.numpy, package.host)
    text = host["before"] + prompt + host["after"]
    ids = tokenizer.encode(text, add_special_tokens=not host["before"]).ids
    room = host["context"] - most
    if len(ids) > room:
        raise problem(
            "the prompt has %d tokens and the context of %d has room for %d beside the answer: shorten it, or deploy "
            "with a larger context" % (len(ids), host["context"], room)
        )
    if not ids:
        raise problem("the prompt is empty: say something")
    tokens, steps = [], []
    while len(tokens) < most:
        if cache.filled < len(ids):
            # The prompt in parts; its last token by itself costs the least where only one is left.
            part = ids[cache.filled : cache.filled + host["prefill"]]
            name, size = ("prefill", host["prefill"]) if len(part) > 1 else ("decode", 1)
        else:
            part, name, size = tokens[-1:], "decode", 1
        logits = call(package, graphs[name], tables, cache, part, size)[-1]
        if cache.filled < len(ids):
            continue
        steps.append(likeliest(package.numpy, logits))
        tokens.append(steps[-1]["tokens"][0])
        if tokens[-1] in host["end"]:
            break
        stream(tokenizer.decode(tokens).strip())
    stream.end()
    return {"sample": prompt, "tokens": tokens, "text": tokenizer.decode(tokens).strip(), "steps": steps}


def answer(package, arguments, samples, output):
    from host import Stream

    tables, tokenizer = package.arrays(), package.tokenizer()
    graphs = {name: package.graph(name) for name in ("prefill", "decode")}
    most = min(arguments.tokens or package.host["tokens"], package.host["context"] - 1)
    for number, prompt in enumerate(samples):
        result = generate(package, graphs, tables, tokenizer, prompt, Stream(output), most)
        if arguments.progress:
            print("answer %d of %d: %s" % (number + 1, len(samples), result["text"]), file=sys.stderr, flush=True)
        yield result


def main():
    sys.dont_write_bytecode = True  # the package holds what its manifest lists, and nothing else
    from host import serve

    parser = argparse.ArgumentParser(description="A language model on the NPU.")
    parser.add_argument("--prompt", action="append", default=[], metavar="TEXT", help="what to answer; may repeat")
    parser.add_argument("--tokens", type=int, metavar="N", help="most tokens of an answer")
    serve(parser, answer, lambda arguments: arguments.prompt)


if __name__ == "__main__":
    main()
