"""The figure of Table 4: Rank-1 and mAP over the fixed weight, beside the learned one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qafm.config.figures import StyleConfig
from qafm.evaluation.ablation_rows import Row
from qafm.figures.ablation_scores import LEARNED, METRICS, Bootstrap, Comparison, read_scores
from qafm.figures.drawing.heading import add_heading
from qafm.figures.drawing.legend import add_legend
from qafm.figures.drawing.style import ACCENT, GREY, QUERY, figure_style, new_figure, save_figure
from qafm.figures.drawing.visual_axis import add_visual_axis
from qafm.tables.table4 import PUBLISHED

TITLES = {"rank1": "Rank-1", "mAP": "mAP"}
PANEL_IN = 2.6  # width below which the panels stand one above the other
NARROWEST = 5.0  # percent: a narrower axis would make equal results look different
PAPER_ALPHA = 0.375  # mean weight of the paper's QAFM (Figure 6)


def plot_ablation(rows: Sequence[Row], run: str, samples: int, seed: int, market1501: bool, style: StyleConfig, paths: Sequence[Path]) -> None:
    """Draw Rank-1 and mAP against paper_alpha with 95 percent intervals over identities, the learned weight as a level line.

    Args:
        rows: (seed, experiment, artifact of `evaluate_alpha`); rows beside Table 4 are not looked at.
        run: what the run is called.
        samples: draws of the bootstrap.
        seed: its seed.
        market1501: whether the run is on Market-1501, so that the published curve may stand beside it.
        style: size.
        paths: files to write, one per format; the .rst is the caption.

    Raises:
        InputError: an artifact is missing, broken or without first ranks, there is no fixed weight, or rows were measured on different queries.
    """
    galleries = read_scores(rows)
    seeds = sorted({seed for seed, _, _ in rows})
    bootstrap = Bootstrap(samples, seed)
    with figure_style():
        figure = draw_ablation(galleries, run, bootstrap, style, market1501=market1501)
        save_figure(figure, caption_ablation(galleries, run, bootstrap, seeds, market1501=market1501), paths)


def draw_ablation(galleries: Mapping[str, Comparison], run: str, bootstrap: Bootstrap, style: StyleConfig, *, market1501: bool) -> Figure:
    """The figure: one panel per metric."""
    columns = 2 if style.width_in >= 2 * PANEL_IN else 1
    figure = new_figure(style, (3.5 if columns == 2 else 6.0) / style.width_in)
    standard, *others = galleries.values()
    for axes, metric in zip(figure.subplots(2 // columns, columns, squeeze=False).flat, METRICS, strict=True):
        _draw_gallery(axes, standard, metric, bootstrap)
        for other in others:
            _draw_without_band(axes, other, metric)
        if market1501:
            _draw_published(axes, metric)
        axes.set_ylabel(f"{TITLES[metric]} (%)")
        axes.set_ylim(*percent_limits(*axes.get_ylim()))
        axes.set_xlim(-0.03, 1.03)
        axes.set_xlabel("alpha: weight of APAN")
        add_visual_axis(axes, "top")
    add_heading(figure, run)
    add_legend(figure, columns)
    return figure


def percent_limits(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis that holds `low` to `high` percent: not narrower than 5, and hardly beyond 0 or 100."""
    margin = max(0.0, NARROWEST - (high - low)) / 2
    return max(-1.0, low - margin), min(101.0, high + margin)


def _draw_gallery(axes: Axes, comparison: Comparison, metric: str, bootstrap: Bootstrap) -> None:
    alpha = [score.alpha for score in comparison.fixed]
    low, high = np.array([bootstrap.interval(score.percent[metric], score.pid) for score in comparison.fixed]).T
    axes.fill_between(alpha, low, high, color=QUERY, alpha=0.15, linewidth=0)
    axes.vlines(alpha, low, high, color=QUERY, linewidth=0.8)
    axes.plot(alpha, [score.mean(metric) for score in comparison.fixed], color=QUERY, marker="o", markersize=4, label="fixed weight")
    learned = comparison.learned
    if learned is not None:
        low, high = bootstrap.interval(learned.percent[metric], learned.pid)
        axes.axhspan(low, high, color=ACCENT, alpha=0.12, linewidth=0)
        axes.vlines(learned.alpha, low, high, color=ACCENT, linewidth=1.6)
        axes.axhline(learned.mean(metric), color=ACCENT, linestyle="--", linewidth=1.2)
        axes.plot([learned.alpha], [learned.mean(metric)], color=ACCENT, linestyle="--", marker="D", markersize=6, label="QAFM, at its mean alpha")


def _draw_without_band(axes: Axes, comparison: Comparison, metric: str) -> None:
    alpha = [score.alpha for score in comparison.fixed]
    means = [score.mean(metric) for score in comparison.fixed]
    axes.plot(alpha, means, color=QUERY, linewidth=0.9, linestyle=":", marker=".", markersize=3, label="fixed weight, no distractors")
    if comparison.learned is not None:
        axes.axhline(comparison.learned.mean(metric), color=ACCENT, linewidth=0.9, linestyle=":", label="QAFM, no distractors")


def _draw_published(axes: Axes, metric: str) -> None:
    levels = {alpha: getattr(PUBLISHED[experiment], metric) for experiment, alpha in _published_alphas().items()}
    alphas = sorted(levels)
    axes.plot(
        alphas, [levels[alpha] for alpha in alphas], color=GREY, linestyle="--", marker="s", markersize=3, markerfacecolor="white", label="paper, fixed weight"
    )
    level = getattr(PUBLISHED[LEARNED], metric)
    axes.plot([PAPER_ALPHA], [level], color=GREY, linestyle="", marker="D", markersize=6, markerfacecolor="white", label="paper, QAFM")


def _published_alphas() -> dict[str, float]:
    """The fixed rows of the paper's Table 4 and their alpha, the number that their name ends in."""
    return {experiment: float(experiment.rpartition("_")[2]) for experiment in PUBLISHED if experiment != LEARNED}


def caption_ablation(galleries: Mapping[str, Comparison], run: str, bootstrap: Bootstrap, seeds: Sequence[int], *, market1501: bool) -> str:
    """What is seen, the numbers of the best fixed weight and of QAFM, and how sure their difference is."""
    (_, standard), *others = galleries.items()
    first = standard.fixed[0]
    identities = len(np.unique(first.pid))
    alone = " A single identity has no interval." if identities == 1 else ""
    more = [f"Thin dotted lines: {name.replace('_', ' ')}, {_levels(comparison)}." for name, comparison in others]
    if market1501:
        more.append(f"Grey, dashed, hollow marks: the paper's Table 4, its QAFM at the mean alpha of its Figure 6, {PAPER_ALPHA}.")
    return (
        "Rank-1 and mAP against alpha, the weight of the attribute branch APAN as the paper prints it, the same for every image (alpha = 0: APN only, "
        f"1: APAN only); the visual weight is w = 1 - alpha (axis on top). Run: {run}; seeds: {', '.join(map(str, seeds))}; queries: {len(first.names):,}; "
        f"identities: {identities:,}. Dots: fixed weights of Table 4. {_about_learned(standard)} Bands and bars: 95 percent intervals of the mean over seeds, "
        f"bootstrap over identities ({bootstrap.samples:,} draws).{alone} {' '.join(_tell(standard, metric, bootstrap) for metric in METRICS)} "
        "These fixed weights were chosen on the queries they are measured on, which flatters them; the row best_fixed of table4_extra.csv is chosen on "
        f"held-out identities. {' '.join(more)}"
    )


def _about_learned(comparison: Comparison) -> str:
    learned = comparison.learned
    if learned is None:
        return "QAFM was not measured here."
    return (
        "Dashed level line with a diamond: QAFM, each image at its own learned weight; the diamond stands at the mean over queries, "
        f"alpha = {learned.alpha:.3f} (sd over queries {learned.alpha_sd:.3f})."
    )


def _tell(comparison: Comparison, metric: str, bootstrap: Bootstrap) -> str:
    """The best fixed weight by this metric, QAFM, and their difference, in numbers."""
    best, learned = comparison.best(metric), comparison.learned
    chosen = _with_interval(best.percent[metric], best.pid, bootstrap)
    text = f"{TITLES[metric]}: the best of Table 4's fixed weights on these queries, alpha {best.alpha:.2g}, with {chosen}"
    if learned is None:
        return f"{text}."
    difference = _with_interval(learned.percent[metric] - best.percent[metric], best.pid, bootstrap, "+.2f")
    return f"{text}; QAFM {_with_interval(learned.percent[metric], learned.pid, bootstrap)}; QAFM minus it, paired: {difference}."


def _with_interval(values: np.ndarray, pid: np.ndarray, bootstrap: Bootstrap, form: str = ".2f") -> str:
    mean, low, high = (round(float(value), 2) + 0.0 for value in (values.mean(), *bootstrap.interval(values, pid)))  # never "-0.00"
    return f"{mean:{form}} [{low:{form}}, {high:{form}}]"


def _levels(comparison: Comparison) -> str:
    best = {metric: comparison.best(metric) for metric in METRICS}
    told = [f"best fixed {TITLES[metric]} {score.mean(metric):.2f} at alpha {score.alpha:.2g}" for metric, score in best.items()]
    if comparison.learned is not None:
        told += [f"QAFM {TITLES[metric]} {comparison.learned.mean(metric):.2f}" for metric in METRICS]
    return ", ".join(told)
