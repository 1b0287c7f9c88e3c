# What the run shows: every figure and table by name, with its category and title, for results/report.html and for Snakemake's own report.
FIGURES = {  # name: (category, title)
    "figure1_identity": ("Data", "1: one identity across cameras"),
    "figure2_architecture": ("Model", "2: architecture"),
    "figure3_iqa_branch": ("Quality", "3: the quality branch"),
    "figure4_identifiability": ("Quality", "4: most and least identifiable images"),
    "figure5_q": ("Quality", "5: distribution of Q"),
    "figure6_alpha": ("Weight", "6: distribution of the weight"),
    "figure7_q_against_alpha": ("Weight", "7: Q against the weight"),
    "figure8_activation": ("Model", "8: what the branches look at"),
    "figure9_success": ("Retrieval", "9: a success"),
    "figure10_failure": ("Retrieval", "10: a failure"),
    "training_curves": ("Model", "Training curves"),
    "table4_curve": ("Retrieval", "Table 4 as a curve"),
}
TABLES = {  # name: title; what it says stands in workflow/report/{name}.rst
    "table2": "Table 2: the attributes",
    "table3": "Table 3: beside published methods",
    "table4": "Table 4: the weight between the branches",
    "table4_extra": "Table 4, further rows",
    "attributes": "What APAN knows of the attributes",
    "controls": "Controls: what cheap cues reach",
}
if CFG.dataset.kind != "synthetic":
    del TABLES["controls"]
if not CFG.dataset.has_attributes:
    del TABLES["attributes"]
