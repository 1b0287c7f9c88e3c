"""Rule plot_q_against_alpha: embeddings -> Figure 7."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_q_against_alpha import plot_q_against_alpha
from qafm.runtime.job import stage_job

with stage_job("plot_q_against_alpha", snakemake.log[0]):
    plot_q_against_alpha(
        Path(snakemake.input.embeddings),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
        market1501=snakemake.params.market1501,
    )
