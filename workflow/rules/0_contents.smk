# What the run shows: every figure and table by name, with its category and title, for results/report.html and for Snakemake's own report.
FIGURES = {  # name: (category, title)
    "figure1_identity": ("Data", "Figure 1: one identity across cameras"),
    "figure2_architecture": ("Model", "Figure 2: architecture"),
    "figure3_iqa_branch": ("Quality", "Figure 3: the quality branch"),
    "figure4_identifiability": ("Quality", "Figure 4: most and least identifiable images"),
    "figure5_q": ("Quality", "Figure 5: distribution of Q"),
    "figure6_alpha": ("Weight", "Figure 6: distribution of the weight"),
    "figure7_q_against_alpha": ("Weight", "Figure 7: Q against the weight"),
    "figure8_activation": ("Model", "Figure 8: what the branches look at"),
    "figure9_success": ("Retrieval", "Figure 9: a success"),
    "figure10_failure": ("Retrieval", "Figure 10: a failure"),
    "training_curves": ("Model", "Training curves"),
    "table4_curve": ("Retrieval", "Table 4 as a curve"),
    "match_reliability": ("Retrieval", "The probability of a match"),
}
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
