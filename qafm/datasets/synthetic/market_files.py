"""Market-1501's file layout: folders, file names and the attribute file."""

import io
from pathlib import Path

import numpy as np
import scipy.io

from qafm.datasets.synthetic import attributes as a
from qafm.tables.attributes import ATTRIBUTES

ATTRIBUTE_FILE = "market_attribute.mat"
MASKS = "masks/pifpaf_maskrcnn_filtering"
PERSON_MASKS = "masks/person"
BINARY = (
    ("backpack", a.BACKPACK),
    ("bag", a.BAG),
    ("handbag", a.HANDBAG),
    ("clothes", a.CLOTHES),
    ("down", a.DOWN),
    ("up", a.UP),
    ("hair", a.HAIR),
    ("hat", a.HAT),
    ("gender", a.GENDER),
)
UPPER, LOWER = ATTRIBUTES[a.UP_COLOR].classes, ATTRIBUTES[a.DOWN_COLOR].classes
# The two splits of the official file name their fields in different orders, so readers must go by name
TEST_ORDER = (
    *("age", "backpack", "bag", "handbag", "clothes", "down", "up", "hair", "hat", "gender"),
    *("upblack", "upwhite", "upred", "uppurple", "upyellow", "upgray", "upblue", "upgreen"),
    *("downblack", "downwhite", "downpink", "downpurple", "downyellow", "downgray", "downblue", "downgreen", "downbrown", "image_index"),
)
TRAIN_ORDER = (
    *("age", "backpack", "bag", "handbag"),
    *("downblack", "downblue", "downbrown", "downgray", "downgreen", "downpink", "downpurple", "downwhite", "downyellow"),
    *("upblack", "upblue", "upgreen", "upgray", "uppurple", "upred", "upwhite", "upyellow"),
    *("clothes", "down", "up", "hair", "hat", "gender", "image_index"),
)
HEADER = b"MATLAB 5.0 MAT-file, synthetic pedestrians of qafm".ljust(116)  # scipy writes the time here


def image_path(folder: str, stem: str) -> str:
    """Path of an image below the data set's root."""
    return f"{folder}/{stem}.jpg"


def mask_path(kind: str, folder: str, stem: str, suffix: str) -> str:
    """Path of a mask below the data set's root; `kind` is `MASKS` or `PERSON_MASKS`."""
    return f"{kind}/{folder}/{stem}{suffix}"


def write_attributes(path: Path, train: dict[int, np.ndarray], test: dict[int, np.ndarray]) -> None:
    """Write the attribute vectors as market_attribute.mat, the same bytes for the same content.

    Args:
        train: pid to vector [12], ascending.
        test: likewise.
    """
    buffer = io.BytesIO()
    content = {"test": _struct(test, TEST_ORDER), "train": _struct(train, TRAIN_ORDER)}
    scipy.io.savemat(buffer, {"market_attribute": content}, do_compression=False)
    path.write_bytes(HEADER + buffer.getvalue()[len(HEADER) :])


def _struct(identities: dict[int, np.ndarray], order: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The 28 fields of one split: codes 1 and 2 (age 1 to 4), uint8 [1, N], and the raw ids as text."""
    vectors = np.stack(list(identities.values()))  # [N, 12]
    fields = {"age": vectors[:, a.AGE] + 1} | {name: vectors[:, column] + 1 for name, column in BINARY}
    fields |= {f"up{name}": 1 + (vectors[:, a.UP_COLOR] == code) for code, name in enumerate(UPPER)}
    fields |= {f"down{name}": 1 + (vectors[:, a.DOWN_COLOR] == code) for code, name in enumerate(LOWER)}
    arrays = {name: values.astype(np.uint8)[None] for name, values in fields.items()}  # [1, N]
    index = np.empty((1, len(vectors)), object)
    index[0] = [f"{pid:04d}" for pid in identities]
    arrays["image_index"] = index
    return {name: arrays[name] for name in order}
