"""Rule plot_labels: images.parquet -> the distribution of the labels."""

from pathlib import Path

from qafm.companions.par.plot_labels import plot_labels
from qafm.config.figures import StyleConfig
from qafm.runtime.job import stage_job

with stage_job("plot_labels", snakemake.log[0]):
    plot_labels(
        Path(snakemake.input.images),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
        multi_color=snakemake.params.multi_color,
    )
