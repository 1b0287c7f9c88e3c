"""table3.csv: the published rows of the paper's Table 3, and the columns of ours."""

from typing import NamedTuple

METRICS = ("rank1", "rank5", "rank10", "mAP")
SOURCES = ("paper, Table 3", "this run")


class Published(NamedTuple):
    """A row of the paper's Table 3: percents as printed there, "" for a dash."""

    method: str
    rank1: str
    rank5: str
    rank10: str
    mAP: str
    protocol_note: str = ""  # how it was measured or trained, where that is known to differ
    same_protocol: bool = True  # False: its numbers come from another retrieval task than ranking single gallery images


_CENTROIDS = "centroid retrieval: ranks one centroid per labelled gallery identity, not single images, so every query has one right answer"
_UNKNOWN = "protocol unknown: mAP above Rank-1 is the mark of re-ranking, gallery aggregation or a non-standard split; no code was published"
_UNSUPERVISED = "trained without identity labels"
_QAFM = "probably ranked against 13,115 gallery images, without the 2,798 distractors: the authors' quality cache covers no other"
# Paper, Table 3 (Market-1501), in its order.
PUBLISHED = (
    Published("PCSL", "87.0", "94.8", "96.6", "69.4"),
    Published("SSPR", "75.2", "", "", "52.6"),
    Published("EEA", "87.9", "", "", "71.0"),
    Published("PL-Net", "88.2", "", "", "69.3"),
    Published("MGTS", "84.8", "", "", "67.0"),
    Published("Deep-ReID", "86.2", "92.4", "96.1", "65.4"),
    Published("CDP", "74.5", "83.8", "", "51.4"),
    Published("MCFL", "84.1", "", "", "64.9"),
    Published("UECIR", "98.0", "98.6", "99.5", "98.3", _CENTROIDS, same_protocol=False),
    Published("LR-Net", "91.4", "", "", "79.6"),
    Published("HCM", "91.8", "96.7", "97.7", "79.0", _UNSUPERVISED),
    Published("UPR", "93.0", "", "", "82.4", _UNSUPERVISED),
    Published("MSPA", "97.7", "98.9", "99.7", "98.0", _UNKNOWN, same_protocol=False),
    Published("QAFM", "93.05", "97.62", "98.60", "83.34", _QAFM),
)
# Our rows, by their name in table4.csv or table4_extra.csv: method and what it is.
OWN_METHODS = {
    "QAFM": ("QAFM", ""),
    "mspa_0.5": ("MSPA baseline", "a model of its own, trained and tested at a fixed weight of 0.5"),
    "apn_descriptor": ("APN descriptor", "the visual branch of QAFM alone, by its own descriptor"),
    "apan_descriptor": ("APAN descriptor", "the attribute branch of QAFM alone, by its own descriptor"),
    "baseline": ("Bag of Tricks", "one network of the branches' own backbone"),
    "baseline_twins": ("two Bags of Tricks", "two such networks, different draws, concatenated"),
}
