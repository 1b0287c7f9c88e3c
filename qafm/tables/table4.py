"""table4.csv and table4_extra.csv: columns, labels, and the published numbers that stand beside the measured ones."""

from dataclasses import dataclass
from typing import NamedTuple

from qafm.tables.spread import with_spread


@dataclass(frozen=True)
class Run:
    """The run a table belongs to.

    Args:
        dataset: the {d} of the result paths.
        features: the {f}.
        model: the {m}.
        init: what the backbones started from, for example "extractor".
        market1501: whether it is Market-1501 itself, so that the published numbers may stand beside the measured ones.
    """

    dataset: str
    features: str
    model: str
    init: str
    market1501: bool = False


class Published(NamedTuple):
    """A row of the paper's Table 4, in percent."""

    rank1: float
    rank5: float
    mAP: float


# Paper, Table 4 (Market-1501; its labels give the weight of APAN).
PUBLISHED = {
    "qafm": Published(93.05, 97.62, 83.34),
    "apn_only_alpha_0": Published(86.43, 94.51, 71.24),
    "apan_only_alpha_1": Published(87.00, 94.83, 68.10),
    "fixed_alpha_0.1": Published(88.06, 95.37, 74.28),
    "fixed_alpha_0.2": Published(90.77, 96.82, 78.74),
    "fixed_alpha_0.3": Published(92.19, 97.45, 81.67),
    "fixed_alpha_0.4": Published(92.70, 97.45, 81.91),
    "fixed_alpha_0.5": Published(91.63, 97.33, 80.03),
    "fixed_alpha_0.6": Published(90.62, 96.85, 77.04),
    "fixed_alpha_0.7": Published(89.37, 96.20, 73.98),
    "fixed_alpha_0.8": Published(88.51, 95.58, 71.40),
    "fixed_alpha_0.9": Published(87.47, 95.13, 69.44),
}
STANDARD = "standard"  # the whole gallery, distractors included
GALLERIES = (STANDARD, "no_distractors")
RUN_COLUMNS = ("experiment", "dataset", "features", "model", "init", "gallery", "paper_alpha", "visual_weight", "visual_weight_sd")
PUBLISHED_COLUMNS = ("paper_rank1", "paper_rank5", "paper_mAP")
INTERVAL_COLUMNS = ("mAP_low", "mAP_high", "mAP_minus_qafm", "mAP_minus_qafm_low", "mAP_minus_qafm_high", "note")


def label(experiment: str) -> str:
    """The row's label in the table, as the paper prints it."""
    return "QAFM" if experiment == "qafm" else experiment


def result_columns(metrics: list[str], n_seeds: int) -> list[str]:
    """What every row has: the run, the weight, each of `metrics` (with its `_sd` over seeds where there are several), the counts."""
    return [*RUN_COLUMNS, *with_spread(metrics, n_seeds), "n_queries", "n_seeds"]
