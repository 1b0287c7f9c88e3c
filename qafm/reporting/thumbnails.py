"""Small pictures for the report page, within the page or where the images are."""

import base64
import os
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from qafm.datasets.read_image import read_image

WEBP_QUALITY = 80
WIDEST = 2  # a thumbnail is at most so many heights wide
DATA_PREFIX = "data:image/webp;base64,"


def thumbnail(path: Path, height_px: int) -> bytes:
    """An image as WebP, shrunk to a height; never enlarged. The same pixels give the same bytes.

    Args:
        path: any picture file.
        height_px: height of the thumbnail; a very wide picture gets a lower one, so that it is at most `WIDEST` * height_px wide.

    Raises:
        InputError: the file cannot be read or decoded.
    """
    image = read_image(path)
    height, width = image.shape[:2]
    scale = min(height_px / height, WIDEST * height_px / width, 1.0)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    if not done:
        raise RuntimeError(f"{path}: OpenCV cannot write WebP")
    return np.asarray(encoded).tobytes()


def thumbnail_url(path: Path, height_px: int) -> str:
    """A data URI of the thumbnail."""
    return DATA_PREFIX + base64.b64encode(thumbnail(path, height_px)).decode()


def linked_url(path: Path, folder: Path) -> str:
    """A relative URL of `path`, seen from a page in `folder`; both relative to the working directory, or absolute."""
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return quote(relative)
