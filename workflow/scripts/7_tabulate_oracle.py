"""Rule tabulate_oracle: the pairs' artifacts -> oracle.csv."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.tabulate_oracle import tabulate_oracle
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_oracle", snakemake.log[0]):
    tabulate_oracle(
        labelled_files(snakemake.params.rows),
        Run(**snakemake.params.run),
        AblationConfig.model_validate(snakemake.params.config),
        Path(snakemake.output[0]),
    )
