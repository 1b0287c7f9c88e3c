"""Which sizes of picture show one person, cut out; told by the header, before a large one is decoded."""

import warnings
from io import BytesIO
from pathlib import Path
from threading import Lock

from PIL import Image

MIN_SIDE = 8  # pixels: a smaller picture shows nobody
MAX_PIXELS = 16_000_000  # its 35 variants would take more than 1.6 GB
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # whose headers are looked at
_ONE_AT_A_TIME = Lock()  # warnings are muted for the whole process: two threads that take turns would leave them so


def wrong_size(width: int, height: int) -> str | None:
    """Why a picture of this size in pixels is of no use; None where it is."""
    if min(width, height) < MIN_SIDE:
        return f"is {width} x {height} pixels, at least {MIN_SIDE} x {MIN_SIDE} are needed"
    return f"is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million: cut out the person" if width * height > MAX_PIXELS else None


def wrong_size_by_header(file: Path | BytesIO) -> str | None:
    """As `wrong_size`, by what the header of a picture file tells; None, too, where there is no such header: decoding will tell why."""
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings(action="ignore"), Image.open(file, formats=_FORMATS) as image:
            return wrong_size(*image.size)
    except Image.DecompressionBombError as error:  # Pillow's own limit, far above ours
        return f"has too many pixels: cut out the person ({error})"
    except Exception:  # of many kinds, as the file may hold anything
        return None
