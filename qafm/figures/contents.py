"""Every figure of a run by name, in the order of the pages: what the workflow asks for, what the report and docs/figures.md call it."""

FIGURES = {  # name: (category, title)
    "figure1_identity": ("Data", "Figure 1: one identity across cameras"),
    "figure2_architecture": ("Model", "Figure 2: the architecture"),
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
