"""Rule plot_identity: images -> Figure 1."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_identity import plot_identity
from qafm.runtime.job import stage_job

with stage_job("plot_identity", snakemake.log[0]):
    plot_identity(
        Path(snakemake.input.images),
        snakemake.params.pid,
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
