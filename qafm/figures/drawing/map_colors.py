"""The colours of a map that is laid over an image in grey."""

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap

from qafm.tables.activation_maps import MATCHES


def map_colors(kind: str) -> ListedColormap:
    """Viridis for activations; for matches inferno, which lets the grey image through where a branch adds nothing."""
    table = mpl.colormaps["inferno" if kind in MATCHES else "viridis"](np.linspace(0, 1, 256))  # [256, RGBA]
    table[:, 3] = np.minimum(np.linspace(0, 2, 256), 0.75) if kind in MATCHES else 0.6
    return ListedColormap(table)
