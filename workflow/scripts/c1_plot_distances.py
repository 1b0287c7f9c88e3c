"""Rule plot_distances: both arms' descriptors -> distances of right pairs and of all."""

from pathlib import Path

from qafm.companions.par.plot_distances import plot_distances
from qafm.config.figures import StyleConfig
from qafm.config.par import SearchConfig
from qafm.runtime.job import labelled_files, stage_job

with stage_job("plot_distances", snakemake.log[0]):
    plot_distances(
        labelled_files(snakemake.params.arms),
        Path(snakemake.input.images),
        SearchConfig.model_validate(snakemake.params.search),
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
