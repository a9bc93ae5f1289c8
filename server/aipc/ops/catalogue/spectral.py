"""Fourier transforms and complex numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from ._case import Case, both, case, x

_real = torch.view_as_real
_complex = torch.view_as_complex
_TRANSFORMS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("torch.fft.rfft", lambda a: _real(torch.fft.rfft(a))),
    ("torch.fft.irfft", lambda a: torch.fft.irfft(torch.fft.rfft(a))),
    ("torch.fft.fft", lambda a: _real(torch.fft.fft(a))),
    ("torch.fft.ifft", lambda a: _real(torch.fft.ifft(a).resolve_conj())),
    ("torch.fft.rfft2", lambda a: _real(torch.fft.rfft2(a))),
    ("torch.fft.irfft2", lambda a: torch.fft.irfft2(torch.fft.rfft2(a))),
    ("torch.fft.fft2", lambda a: _real(torch.fft.fft2(a))),
    ("torch.fft.ifft2", lambda a: _real(torch.fft.ifft2(a))),
    ("torch.fft.rfftn", lambda a: _real(torch.fft.rfftn(a, dim=(-2, -1)))),
    ("torch.fft.fftn", lambda a: _real(torch.fft.fftn(a, dim=(-2, -1)))),
    ("torch.fft.hfft", torch.fft.hfft),
    ("torch.fft.fftshift", lambda a: torch.fft.fftshift(a, -1)),
    ("torch.fft.ifftshift", lambda a: torch.fft.ifftshift(a, -1)),
    ("torch.fft.fftfreq", lambda a: a + torch.fft.fftfreq(16)),
    ("torch.fft.rfftfreq", lambda a: a + torch.fft.rfftfreq(30)),
)


def cases() -> Iterator[Case]:
    for names, function in _TRANSFORMS:
        yield case(names, function, x(1, 6, 8, 16))
    window = torch.hann_window(16)
    yield case(
        both("stft"),
        lambda a: _real(torch.stft(a, 16, 8, window=window, return_complex=True)),
        x(1, 128),
        return_complex=True,
        center=True,
    )
    yield case(
        both("stft"),
        lambda a: _real(torch.stft(a, 16, 8, window=window, center=False, return_complex=True)),
        x(1, 128),
        return_complex=True,
        center=False,
    )
    yield case(
        both("istft"),
        lambda a: torch.istft(torch.stft(a, 16, 8, window=window, return_complex=True), 16, 8, window=window),
        x(1, 128),
    )
    yield case("torch.complex", lambda a, b: _real(torch.complex(a, b)), x(6, 20), x(6, 20))
    yield case("torch.polar", lambda a, b: _real(torch.polar(a, b)), x(6, 20), x(6, 20))
    yield case("torch.view_as_complex torch.view_as_real", lambda a: _real(_complex(a) * 2.0), x(6, 20, 2))
    yield case(
        "torch.mul T.__mul__",
        lambda a, b: _real(_complex(a) * _complex(b)),
        x(6, 20, 2),
        x(6, 20, 2),
        dtype="complex64",
    )
    yield case("torch.abs T.abs", lambda a: _complex(a).abs(), x(6, 20, 2), dtype="complex64")
    yield case("torch.angle T.angle", lambda a: torch.angle(_complex(a)), x(6, 20, 2), dtype="complex64")
    yield case("torch.angle T.angle", torch.angle, x(6, 20), dtype="float32")
    yield case("torch.conj T.conj", lambda a: _real(_complex(a).conj().resolve_conj()), x(6, 20, 2), dtype="complex64")
    yield case("torch.real T.real", lambda a: _complex(a).real + 0.0, x(6, 20, 2), dtype="complex64")
    yield case("torch.imag T.imag", lambda a: _complex(a).imag + 0.0, x(6, 20, 2), dtype="complex64")
