"""A figure as the report page shows it: the PNG within the page, with its size and caption."""

import base64
import struct
from dataclasses import dataclass
from pathlib import Path

from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption

_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER = 24  # signature, then length and type of IHDR, then width and height


@dataclass(frozen=True)
class ShownFigure:
    """A figure.

    Args:
        title: what it is.
        caption: plain text.
        width: pixels.
        height: pixels.
        source: data URI of the PNG.
    """

    title: str
    caption: str
    width: int
    height: int
    source: str


def show_figure(title: str, png: Path, caption: Path) -> ShownFigure:
    """Read a figure and its caption.

    Raises:
        InputError: one of the files cannot be read, or the first is no PNG file.
    """
    try:
        data, text = png.read_bytes(), read_caption(caption)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror or error})") from error
    if data[:8] != _PNG or len(data) < _HEADER or data[12:16] != b"IHDR":
        raise InputError(f"{png}: is no PNG file")
    width, height = struct.unpack(">II", data[16:_HEADER])
    return ShownFigure(title, text, width, height, f"data:image/png;base64,{base64.b64encode(data).decode()}")
