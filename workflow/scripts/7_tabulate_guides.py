"""Rule tabulate_guides: the seeds' artifacts -> guides.csv."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.guides.tabulate_guides import tabulate_guides
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_guides", snakemake.log[0]):
    tabulate_guides(
        [(seed, Path(path)) for seed, path in snakemake.params.files],
        Run(**snakemake.params.run),
        AblationConfig.model_validate(snakemake.params.config),
        Path(snakemake.output[0]),
    )
