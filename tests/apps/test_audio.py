"""The audio front end of the Whisper package, held to transformers' own."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from aipc.recipes.runners import whisper
from conftest import tone


def test_the_features_are_those_of_the_library() -> None:
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=80, chunk_length=2)
    audio = np.random.default_rng(0).standard_normal(20000).astype(np.float32) * 0.1
    expected = extractor(audio, sampling_rate=16000, return_tensors="np").input_features
    features = whisper.features_of(np, audio, np.asarray(extractor.mel_filters, np.float32), 2)
    assert features.shape == expected.shape == (1, 80, 200)
    np.testing.assert_allclose(features, expected, atol=1e-3)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_another_rate_is_resampled(tmp_path: Path, rate: int) -> None:
    audio = whisper.read_audio(np, tone(tmp_path / "x.wav", seconds=0.48, rate=rate), 16000)
    expected = whisper.read_audio(np, tone(tmp_path / "y.wav", seconds=0.48, rate=16000), 16000)
    assert len(audio) == len(expected) == 7680
    np.testing.assert_allclose(audio[200:-200], expected[200:-200], atol=2e-3)


def test_what_16_khz_cannot_hold_is_removed(tmp_path: Path) -> None:
    audio = whisper.read_audio(np, tone(tmp_path / "x.wav", seconds=0.5, hertz=9000, rate=48000), 16000)
    assert np.abs(audio[200:-200]).max() < 1e-2


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_of_samples_and_several_channels_are_read(tmp_path: Path, width: int) -> None:
    values = np.array([0.5, -0.5, 0.25, 0.0])
    whole = np.round(values * 2.0 ** (8 * width - 1)).astype(np.int64) + (128 if width == 1 else 0)
    data = b"".join(int(v).to_bytes(width, "little", signed=width > 1) * 2 for v in whole)
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(width)
        file.setframerate(16000)
        file.writeframes(data)
    np.testing.assert_allclose(whisper.read_audio(np, tmp_path / "x.wav", 16000), values, atol=1e-6)
