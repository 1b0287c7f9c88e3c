"""The probability of a match: reliability diagram and DET curve."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from scipy.stats import norm

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.style import ACCENT, GREY, QUERY, figure_style, new_figure, save_figure
from qafm.figures.plot_nothing import plot_nothing
from qafm.tables.calibration import CalibrationFile, Measured, Measures, read_calibration_file

PANEL_IN = 2.6  # width below which the panels stand one above the other
RATES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)  # ticks of the DET axes


def plot_match_reliability(calibration: Path, run: str, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw how often pairs of each predicted probability do show one person, and both errors of a decision by distance.

    Args:
        calibration: calibration.json of one seed.
        run: what the run is called.
        style: size.
        paths: files to write, one per format; the .rst is the caption.

    Raises:
        InputError: the file is missing or broken.
    """
    content = read_calibration_file(calibration)
    if content.measures is None:
        plot_nothing(f"No probability of a match: {content.reason}.", run, style, paths)
        return
    with figure_style():
        save_figure(draw_match_reliability(content, run, style), caption_match_reliability(content, content.measures, run), paths)


def draw_match_reliability(content: CalibrationFile, run: str, style: StyleConfig) -> Figure:
    """The figure: two panels, each with intervals over identities."""
    columns = 2 if style.width_in >= 2 * PANEL_IN else 1
    figure = new_figure(style, (3.6 if columns == 2 else 6.6) / style.width_in)
    reliability, det = figure.subplots(2 // columns, columns, squeeze=False).flat
    _draw_reliability(reliability, content)
    _draw_det(det, content)
    add_heading(figure, run)
    add_legend(figure, columns)
    return figure


def _draw_reliability(axes: Axes, content: CalibrationFile) -> None:
    predicted = np.array([part.predicted for part in content.reliability])
    value, low, high = _columns([part.observed for part in content.reliability])
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
    axes.vlines(predicted, low, high, color=QUERY, linewidth=1.2)
    axes.plot(predicted, value, color=QUERY, marker="o", markersize=4, linewidth=0.8, label="pairs, 95 % over identities")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("predicted probability of one person")
    axes.set_ylabel("share that is one person")


def _draw_det(axes: Axes, content: CalibrationFile) -> None:
    false_match = np.array([point.false_match_rate.value for point in content.det])
    missed, low_missed, high_missed = _columns([point.false_non_match_rate for point in content.det])
    shown = (false_match > 0) & (false_match < 1) & (missed > 0) & (missed < 1)
    ends = [_limits(np.concatenate([side[shown], [0.5]])) for side in (false_match, missed)]
    x, y, bottom, top = (norm.ppf(np.clip(side[shown], 1e-9, 1 - 1e-9)) for side in (false_match, missed, low_missed, high_missed))
    axes.fill_between(x, bottom, top, color=ACCENT, alpha=0.2, linewidth=0)
    axes.plot(x, y, color=ACCENT, marker=".", markersize=4, linewidth=1, label="decision by distance")
    for set_limits, set_ticks, axis, (low, high) in (
        (axes.set_xlim, axes.set_xticks, axes.xaxis, ends[0]),
        (axes.set_ylim, axes.set_yticks, axes.yaxis, ends[1]),
    ):
        ticks = [rate for rate in RATES if low <= rate <= high]
        set_ticks([float(norm.ppf(rate)) for rate in ticks], [f"{100 * rate:g}" for rate in ticks])
        axis.set_minor_locator(NullLocator())
        set_limits(float(norm.ppf(low)), float(norm.ppf(high)))
    axes.set_xlabel("false-match rate (%)")
    axes.set_ylabel("false-non-match rate (%)")


def _limits(rates: np.ndarray) -> tuple[float, float]:
    """The ticks that enclose `rates` [T]."""
    low = max([rate for rate in RATES if rate <= rates.min()], default=RATES[0])
    return low, min([rate for rate in RATES if rate >= rates.max()], default=RATES[-1])


def _columns(measured: Sequence[Measured]) -> np.ndarray:
    """Value, low and high of each, [3, N]."""
    return np.array([(one.value, one.low, one.high) for one in measured]).reshape(-1, 3).T


def caption_match_reliability(content: CalibrationFile, measures: Measures, run: str) -> str:
    """What is seen, and the numbers."""
    cllr, eer = measures.cllr, measures.eer
    return (
        f"The probability that two images show one person, made of the Euclidean distance of their descriptors. Run: {run}. Measured on {content.set}: "
        f"{content.genuine_pairs:,} pairs of one person, {content.impostor_pairs:,} of two, {content.cameras} cameras; each pair was judged by a fit that knew "
        f"neither of its people. Left: pairs by predicted probability; on the dashed line the prediction holds. The prior is {content.prior:g}: both kinds of "
        f"pairs are weighted to that share; at another prior the probabilities are others. Cllr {cllr.value:.3f} bits [{cllr.low:.3f}, {cllr.high:.3f}], "
        f"at best {measures.cllr_min:.3f} for this distance; ECE {100 * measures.ece:.2f} %, by chance {100 * measures.ece_by_chance:.2f} %. "
        "Right: both errors when all pairs up to a distance are called one person, "
        f"from distance {content.det[0].distance:.2f} to {content.det[-1].distance:.2f} (DET curve, normal deviates); "
        f"equal error rate {100 * eer.value:.2f} % [{100 * eer.low:.2f}, {100 * eer.high:.2f}]. Bars, band and brackets: 95 percent, bootstrap over "
        f"identities. A false match rarer than one in {content.identity_pairs:,}, the number of pairs of people, cannot be measured here and is not drawn."
    )
