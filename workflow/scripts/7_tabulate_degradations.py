"""Rule tabulate_degradations: what degraded queries achieved, seed by seed -> degradations.csv."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.tabulate_degradations import tabulate_degradations
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_degradations", snakemake.log[0]):
    tabulate_degradations(
        [Path(path) for path in snakemake.input],
        snakemake.params.grid,
        Run(**snakemake.params.run),
        AblationConfig.model_validate(snakemake.params.config),
        Path(snakemake.output[0]),
    )
