"""Which classes each head of the PAR network tells apart, and the codes of images among them.

Beside the classes of qafm.tables.attributes the report has one more per colour, `multi`: clothes of several colours. Market-1501 writes it as an identity
without any colour flag; that its other attributes are known tells it from an identity of which nothing is.

N images, 12 attributes in the order of ATTRIBUTES.
"""

import numpy as np

from qafm.evaluation.attribute_accuracy import UNKNOWN
from qafm.tables.attributes import ATTRIBUTES

COLORS = ("up_color", "down_color")
MULTI = "multi"
_IS_COLOR = np.array([attribute.name in COLORS for attribute in ATTRIBUTES])


def head_classes(multi_color: bool) -> dict[str, tuple[str, ...]]:
    """Classes of every attribute, in the order of ATTRIBUTES; with `multi_color` the last one of a colour is `multi`."""
    return {name: (*classes, MULTI) if multi_color and name in COLORS else classes for name, classes in ATTRIBUTES}


def par_codes(codes: np.ndarray, multi_color: bool) -> np.ndarray:
    """Codes among `head_classes`.

    Args:
        codes: [N, 12], codes among the classes of ATTRIBUTES, UNKNOWN = -1.
        multi_color: an unknown colour becomes `multi` where some attribute that is no colour is known.

    Returns:
        int64 [N, 12].
    """
    found = codes.astype(np.int64)
    if multi_color:
        described = (found[:, ~_IS_COLOR] != UNKNOWN).any(axis=1, keepdims=True)  # [N, 1]
        several = np.array([len(classes) for _, classes in ATTRIBUTES])  # the code behind the last one
        found = np.where(_IS_COLOR & (found == UNKNOWN) & described, several, found)
    return found
