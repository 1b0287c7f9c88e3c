# Stage 8. Reads: embeddings of the first seed. Writes: results/figures/. Paper Figures 5 to 7. Nothing is trained again for a figure.
FIRST_SEED = CFG.seeds[0]
FIGURE_NAMES = ("figure5_q", "figure6_alpha", "figure7_q_against_alpha")
FIGURES = expand("results/figures/{name}.{kind}", name=FIGURE_NAMES, kind=CFG.figures.formats)


rule plot_q:
    input:
        embeddings=f"{M}/seed-{FIRST_SEED}/embeddings/fusion.parquet",
    output:
        drawn("figure5_q", "5: distribution of Q"),
    log:
        "results/logs/plot_q.log",
    conda:
        ENVIRONMENT
    params:
        **weights_figure("8_plot_q", "qafm.reporting.plot_q"),
    script:
        "../scripts/8_plot_q.py"


rule plot_alpha:
    input:
        embeddings=f"{M}/seed-{FIRST_SEED}/embeddings/fusion.parquet",
    output:
        drawn("figure6_alpha", "6: distribution of the weight"),
    log:
        "results/logs/plot_alpha.log",
    conda:
        ENVIRONMENT
    params:
        **weights_figure("8_plot_alpha", "qafm.reporting.plot_alpha"),
    script:
        "../scripts/8_plot_alpha.py"


rule plot_q_against_alpha:
    input:
        embeddings=f"{M}/seed-{FIRST_SEED}/embeddings/fusion.parquet",
    output:
        drawn("figure7_q_against_alpha", "7: Q against the weight"),
    log:
        "results/logs/plot_q_against_alpha.log",
    conda:
        ENVIRONMENT
    params:
        **weights_figure("8_plot_q_against_alpha", "qafm.reporting.plot_q_against_alpha"),
    script:
        "../scripts/8_plot_q_against_alpha.py"
