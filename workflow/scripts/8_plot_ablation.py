"""Rule plot_ablation: the rows' artifacts -> Table 4 as a curve."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.config.figures import StyleConfig
from qafm.figures.plot_ablation import plot_ablation
from qafm.runtime.job import labelled_files, stage_job

with stage_job("plot_ablation", snakemake.log[0]):
    bootstrap = AblationConfig.model_validate(snakemake.params.config)
    plot_ablation(
        labelled_files(snakemake.params.rows),
        snakemake.params.run,
        bootstrap.bootstrap_samples,
        bootstrap.seed,
        snakemake.params.market1501,
        StyleConfig.model_validate(snakemake.params.style),
        [Path(path) for path in snakemake.output],
    )
