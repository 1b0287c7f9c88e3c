# What the run shows: every table by name, its figures in qafm/figures/contents.py, for results/report.html and for Snakemake's own report.
from qafm.figures.contents import FIGURES

TABLES = {  # name: title; what it says stands in workflow/report/{name}.rst
    "table4": "Table 4: the weight between the branches",
    "table4_extra": "Table 4, further rows",
    "table3": "Table 3: beside published methods",
    "reranked": "Re-ranking: before and after",
    "calibration": "The probability of a match",
    "quality": "What Q measures",
    "deciles": "Hypothesis 1: the branches by tenths of Q",
    "degradations": "Hypothesis 1: the branches on degraded queries",
    "oracle": "Is there anything to adapt to?",
    "guides": "Would another guide do better than Q?",
    "attributes": "What APAN knows of the attributes",
    "controls": "Controls: what cheap cues reach",
    "table2": "Table 2: the attributes",
}
SLICENET_CASES = {  # kind of query: title
    "first_helps": f"Right by {CFG.companions.slicenet.compared[0]} alone",
    "second_helps": f"Right by {CFG.companions.slicenet.compared[1]} alone",
    "neither": "Right by neither system",
    "both": "Right by both systems",
}
BPBREID_FIGURES = {"success": "A success with part maps", "failure": "A failure with part maps"}
COMPANION_FIGURES = {  # as FIGURES; of target `companions`
    "comparison": ("All systems", "Side by side"),
    "par_labels": ("PAR and siamese", "Labels"),
    "siamese_distances": ("PAR and siamese", "Distances"),
    **{f"slicenet_{kind}": ("SliceNet", title) for kind, title in SLICENET_CASES.items()},
    **{f"bpbreid_{kind}": ("BPBReID", title) for kind, title in BPBREID_FIGURES.items()},
}
COMPANION_TABLES = {  # name: (category, title), for results/companions.html
    "comparison": ("All systems", "Side by side"),
    "comparison_cost": ("All systems", "What they take in time"),
    "par_accuracy": ("PAR and siamese", "PAR: accuracy by loss"),
    "par_f1": ("PAR and siamese", "PAR: macro F1 by loss"),
    "siamese": ("PAR and siamese", "Siamese: both arms and filters"),
    "slicenet": ("SliceNet", "The report's Table 5"),
    "bpbreid": ("BPBReID", "Its variants"),
    "partial": ("BPBReID", "People seen in part"),
}
if not CFG.dataset.generated:
    del TABLES["controls"]
if not CFG.dataset.has_attributes:
    del TABLES["attributes"]
