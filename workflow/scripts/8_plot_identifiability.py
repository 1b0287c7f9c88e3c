"""Rule plot_identifiability: images and Q -> Figure 4."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.plot_identifiability import plot_identifiability
from qafm.runtime.job import stage_job

with stage_job("plot_identifiability", snakemake.log[0]):
    plot_identifiability(
        Path(snakemake.input.images),
        Path(snakemake.input.quality),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
        computed=snakemake.params.computed,
    )
