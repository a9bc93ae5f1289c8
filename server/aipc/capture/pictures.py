"""Reading a picture so that its values are what a viewer shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aipc.core.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def open_picture(path: Path) -> Picture:
    """A picture as 8-bit RGB.

    Pillow's own conversion cuts 16-bit grey values at 255, which turns such a picture white, and takes the inks of CMYK
    as they are, without the profile that says what colours they are.

    Raises:
        InputError: there is no such file, it is no picture, is damaged, or has more pixels than Pillow will read.
    """
    from PIL import Image, UnidentifiedImageError

    if not path.exists():
        raise InputError(f"there is no image {path}", remedy="check the path")
    if not path.is_file():
        raise InputError(f"{path} is not a file", remedy="name a picture")
    try:
        with Image.open(path) as picture:
            if picture.mode.startswith(("I", "F")):
                return _grey(picture, path)
            if picture.mode == "CMYK" and picture.info.get("icc_profile"):
                return _printed(picture, path)
            return picture.convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"the image {path} is too large: {error}", remedy="scale it down") from error
    except (UnidentifiedImageError, ImportError, OSError, SyntaxError, ValueError) as error:
        # ImportError: ultralytics replaces Image.open by one that looks for a plug-in where Pillow knows no format.
        raise InputError(f"{path} is not an image that can be read", detail=str(error)) from error


def _grey(picture: Picture, path: Path) -> Picture:
    """16-bit grey values by their upper 8 bits; values of other ranges have no such meaning."""
    from PIL import Image

    values = np.asarray(picture)
    if picture.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise InputError(
            f"the image {path} has values of mode {picture.mode}, not of 8 or 16 bits",
            remedy="save it with 8 bits, or give the values as .npy",
        )
    # 65535 / 255, rounded to the nearest.
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert("RGB")


def _printed(picture: Picture, path: Path) -> Picture:
    import io

    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError as error:
        raise InputError(
            f"the colour profile of {path} cannot be used", remedy="save the image as RGB", detail=str(error)
        ) from error
    return converted or picture.convert("RGB")
