"""How a camera was held: tag 0x0112 of an EXIF block (TIFF 6.0), and the picture turned upright by it."""

import struct

import numpy as np

_ORIENTATION = 0x0112
_HEADER, _ENTRY = 8, 12  # bytes


def orientation(exif: bytes) -> int:
    """The orientation 1..8 that an EXIF block names; 1, upright, where it names none or is damaged."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < _HEADER:
        return 1
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for at in range(start + 2, min(start + 2 + count * _ENTRY, len(tiff) - _ENTRY + 1), _ENTRY):
        tag, value = struct.unpack_from(f"{order}H", tiff, at)[0], struct.unpack_from(f"{order}H", tiff, at + 8)[0]
        if tag == _ORIENTATION:
            return value if 1 <= value <= 8 else 1
    return 1


def upright(image: np.ndarray, exif: bytes) -> np.ndarray:
    """A stored picture [H, W, C] as it is meant to be seen; [W, H, C] where it lay on its side."""
    value = orientation(exif)
    if value >= 5:  # stored by columns
        image = image.transpose(1, 0, 2)  # [W, H, C]
    if value in (3, 4, 7, 8):
        image = image[::-1]
    if value in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image
