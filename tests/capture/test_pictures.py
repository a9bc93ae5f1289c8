"""Pictures give the values that a viewer shows, and what cannot be read is named."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aipc.capture.pictures import open_picture
from aipc.capture.spec import array_file, image_file
from aipc.core.errors import InputError
from aipc.pipeline.runner import run as runner

RAMP = np.tile(np.linspace(0, 255, 32).round().astype(np.uint8), (32, 1))


def test_16_bits_show_the_picture_of_8_bits(tmp_path):
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(np.asarray(open_picture(tmp_path / "deep.png")), np.stack([RAMP] * 3, axis=-1))
    assert abs(image_file(tmp_path / "deep.png", (32, 32))[0, 0].numpy() * 255 - RAMP).max() < 1e-3
    shown = runner.read_picture(
        np, str(tmp_path / "deep.png"), {"name": "x", "shape": [1, 3, 32, 32], "dtype": "uint8"}
    )
    assert np.array_equal(shown[0, 0], RAMP)


def test_inks_become_colours(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=100)
    red, green, blue = open_picture(tmp_path / "red.jpg").getpixel((4, 4))
    assert (red > 250, green < 5, blue < 5) == (True, True, True)


def test_what_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    Image.fromarray(np.full((4, 4), 1e6, np.float32)).save(tmp_path / "values.tif")
    Image.new("RGB", (64, 64)).save(tmp_path / "bomb.png")
    os.mkfifo(tmp_path / "pipe.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for name, words in {
        "broken.png": "not an image",
        "values.tif": "mode F",
        "bomb.png": "too large",
        "pipe.png": "not a file",
        "none.png": "no image",
    }.items():
        with pytest.raises(InputError, match=words) as info:
            open_picture(tmp_path / name)
        assert name in str(info.value)


def test_a_library_that_replaces_the_reader_changes_no_message(tmp_path, monkeypatch):
    def looks_for_a_plugin(path):
        raise ModuleNotFoundError("No module named 'pi_heif'")

    monkeypatch.setattr(Image, "open", looks_for_a_plugin)
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"broken\.png is not an image"):
        open_picture(tmp_path / "broken.png")


def damaged(path: Path) -> None:
    np.savez(path, x=np.zeros(1000), y=np.ones(3))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(content)


def test_arrays_that_cannot_be_read_are_named(tmp_path):
    damaged(tmp_path / "damaged.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "damaged.npz").read_bytes()[:900])
    np.savez(tmp_path / "words.npz", x=np.array(["a", "b"]))
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("x.npy", b"no array")
    os.mkfifo(tmp_path / "pipe.npy")
    for name in ("damaged.npz", "cut.npz", "words.npz", "other.npz", "pipe.npy"):
        with pytest.raises(InputError, match=name):
            array_file(tmp_path / name)
