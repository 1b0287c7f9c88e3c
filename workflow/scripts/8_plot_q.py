"""Rule plot_q: embeddings -> Figure 5."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_q import plot_q
from qafm.runtime.job import stage_job

with stage_job("plot_q", snakemake.log[0]):
    plot_q(
        Path(snakemake.input.embeddings),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
        computed=snakemake.params.computed,
        market1501=snakemake.params.market1501,
    )
