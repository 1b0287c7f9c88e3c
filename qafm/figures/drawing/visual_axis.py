"""The second axis of everything drawn over alpha as published: the visual weight w = 1 - alpha, the paper's other reading of the same number."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

ALPHA_LABEL = "alpha as published: weight of the attribute branch"
VISUAL_LABEL = "visual weight w = 1 - alpha"


def add_visual_axis(axes: Axes, where: Literal["top", "right"]) -> None:
    """Put w on the top of axes that have alpha on x, or on the right of axes that have it on y."""
    if where == "top":
        second = axes.secondary_xaxis("top", functions=(_complement, _complement))
        second.set_xlabel(VISUAL_LABEL)
    else:
        second = axes.secondary_yaxis("right", functions=(_complement, _complement))
        second.yaxis.set_major_locator(MaxNLocator(nbins=5))
        second.set_ylabel("w = 1 - alpha")


def _complement(values: ArrayLike) -> np.ndarray:
    return 1 - np.asarray(values)
