#!/usr/bin/env python3
"""Speech to text on the NPU. Needs onnxruntime, onnxruntime-qnn, numpy and tokenizers; nothing else.

    python run.py --audio x.wav                      print what is said
    python run.py --audio x.wav y.wav --json         tokens, text and logits as one JSON document
    python run.py --self-test                        answer the golden clips and compare with PyTorch's tokens

Audio is a .wav file of 8, 16, 24 or 32 bits; several channels become one, and another rate is resampled.
Exit status: 0 done, 1 the self-test failed, 2 could not run.
"""

import argparse
import math
import sys
import wave
from pathlib import Path

RATE = 16000
SILENCE = 1e-3
"""Full scale is 1. Speech peaks above this even from afar; a file below it is empty."""
NO_SPEECH = 0.6
"""Whisper's own threshold on the probability of its no-speech token."""
FFT, HOP = 400, 160
"""Samples of one frame and from one frame to the next, as Whisper was trained."""


def problem(text):
    from host import Problem

    return Problem(text)


def read_audio(numpy, path, rate):
    """A .wav file as float32[samples] in -1 ... 1 at ``rate``, its channels averaged.

    Raises:
        ValueError: one sentence: no such file, not a .wav file, silence.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, frames = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except FileNotFoundError:
        raise ValueError("there is no file %s" % path)
    except (OSError, EOFError, wave.Error) as error:
        raise ValueError("%s is not a .wav file of whole numbers (%s): convert it to 16-bit PCM" % (path, error))
    audio = samples_of(numpy, data, width)
    audio = audio[: len(audio) // channels * channels].reshape(-1, channels).mean(1)
    if not len(audio) or float(numpy.abs(audio).max()) < SILENCE:
        raise ValueError("%s has no speech: it is silent" % path)
    return resample(numpy, audio, frames, rate).astype(numpy.float32)


def samples_of(numpy, data, width):
    """PCM bytes as float64 in -1 ... 1."""
    if width == 1:
        return numpy.frombuffer(data, numpy.uint8).astype(numpy.float64) / 128.0 - 1.0
    if width == 3:
        whole = numpy.frombuffer(data[: len(data) // 3 * 3], numpy.uint8).reshape(-1, 3)
        # The three bytes are the upper ones of 32 bits.
        padded = numpy.concatenate([numpy.zeros((len(whole), 1), numpy.uint8), whole], 1)
        return padded.copy().view("<i4")[:, 0].astype(numpy.float64) / 2.0**31
    return numpy.frombuffer(data, "<i%d" % width).astype(numpy.float64) / 2.0 ** (8 * width - 1)


def resample(numpy, audio, source_rate, rate, zeros=32):
    """Band-limited resampling by a windowed sinc with ``zeros`` zero crossings on each side.

    Smith, "Digital Audio Resampling Home Page", https://ccrma.stanford.edu/~jos/resample/.
    """
    if source_rate == rate:
        return audio
    count = int(math.ceil(len(audio) * rate / source_rate))
    cutoff = min(1.0, rate / source_rate) * 0.95
    reach = int(math.ceil(zeros / cutoff))
    padded = numpy.pad(audio, reach)
    out = numpy.empty(count)
    for start in range(0, count, 4096):
        places = numpy.arange(start, min(start + 4096, count)) * (source_rate / rate)
        nearest = numpy.floor(places).astype(numpy.int64)
        offsets = numpy.arange(-reach + 1, reach + 1)
        distance = (places - nearest)[:, None] - offsets
        weights = cutoff * numpy.sinc(cutoff * distance)
        weights *= 0.5 + 0.5 * numpy.cos(numpy.pi * numpy.clip(distance / reach, -1, 1))
        out[start : start + len(places)] = (padded[nearest[:, None] + offsets + reach] * weights).sum(1)
    return out


def features_of(numpy, audio, filters, seconds):
    """The log mel spectrogram that Whisper reads, float32[1, mel bins, 100 * seconds]; silence behind the audio."""
    audio = numpy.pad(audio, (0, seconds * RATE - len(audio)))
    padded = numpy.pad(audio, FFT // 2, mode="reflect")
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(FFT) / FFT)
    frames = numpy.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:-1]
    power = numpy.abs(numpy.fft.rfft(frames * window, axis=1)) ** 2
    mel = numpy.log10(numpy.maximum(filters.T @ power.T, 1e-10))
    mel = numpy.maximum(mel, mel.max() - 8.0)
    return ((mel + 4.0) / 4.0).astype(numpy.float32)[None]


def transcribe(package, encoder, decoder, filters, tokenizer, path, stream):
    """The answer to one file: tokens, text, and the two likeliest tokens at each position."""
    from host import likeliest

    numpy, host = package.numpy, package.host
    try:
        audio = read_audio(numpy, path, RATE)
    except ValueError as error:
        raise problem(str(error))
    if len(audio) > host["seconds"] * RATE:
        raise problem(
            "%s has %.1f s of audio and the package takes %d s: cut it, or deploy with a longer window"
            % (path, len(audio) / RATE, host["seconds"])
        )
    cross = encoder({"input_features": features_of(numpy, audio, filters, host["seconds"])})
    places = host["tokens"] - 1
    shape = (1, host["heads"], places, host["head_size"])
    names = ["%s_%d" % (kind, i) for i in range(host["layers"]) for kind in ("key", "value")]
    past = {name: numpy.zeros(shape, numpy.float32) for name in names}
    prompt, tokens, steps = list(host["prompt"]), [], []
    # The last token of an answer is not read again.
    for at in range(places):
        mask = numpy.full((1, 1, 1, places + 1), host["masked"], numpy.float32)
        mask[..., :at] = 0
        mask[..., -1] = 0
        feeds = {
            "input_ids": [[(prompt + tokens)[at]]],
            "position_ids": [[at]],
            "attention_mask": mask,
        }
        feeds.update(("past_" + name, value) for name, value in past.items())
        outputs = decoder(dict(feeds, **cross))
        for name in names:
            past[name][:, :, at] = outputs["new_" + name][:, :, 0]
        logits = outputs["logits"][0].astype(numpy.float64)
        if at == 0 and host["no_speech"] is not None:
            share = numpy.exp(logits - logits.max())
            if share[host["no_speech"]] / share.sum() > NO_SPEECH:
                raise problem("%s has no speech: Whisper itself hears none" % path)
        if at + 1 < len(prompt):
            continue
        logits[host["suppress"]] = -numpy.inf
        if not tokens:
            logits[host["suppress_first"]] = -numpy.inf
        steps.append(likeliest(numpy, logits))
        tokens.append(steps[-1]["tokens"][0])
        if tokens[-1] in host["end"]:
            break
        stream(tokenizer.decode(tokens).strip())
    stream.end()
    return {"sample": str(path), "tokens": tokens, "text": tokenizer.decode(tokens).strip(), "steps": steps}


def answer(package, arguments, samples, output):
    from host import Stream

    filters, tokenizer = package.arrays()["mel_filters"], package.tokenizer()
    encoder, decoder = package.graph("encoder"), package.graph("decoder")
    for number, sample in enumerate(samples):
        path = package.directory / "golden" / sample if arguments.self_test else Path(sample)
        result = transcribe(package, encoder, decoder, filters, tokenizer, path, Stream(output))
        if arguments.progress:
            print("answer %d of %d: %s" % (number + 1, len(samples), result["text"]), file=sys.stderr, flush=True)
        yield dict(result, sample=sample)


def main():
    sys.dont_write_bytecode = True  # the package holds what its manifest lists, and nothing else
    from host import serve

    parser = argparse.ArgumentParser(description="Speech to text on the NPU.")
    parser.add_argument("--audio", nargs="+", default=[], metavar="WAV", help="what to listen to")
    serve(parser, answer, lambda arguments: arguments.audio)


if __name__ == "__main__":
    main()
