"""Rule plot_alpha: embeddings -> Figure 6."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_alpha import plot_alpha
from qafm.runtime.job import stage_job

with stage_job("plot_alpha", snakemake.log[0]):
    plot_alpha(
        Path(snakemake.input.embeddings),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
        market1501=snakemake.params.market1501,
    )
