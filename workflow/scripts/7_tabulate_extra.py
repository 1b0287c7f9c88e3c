"""Rule tabulate_extra: the rows' artifacts -> table4_extra.csv, with intervals over identities."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.tabulate_extra import tabulate_extra
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_extra", snakemake.log[0]):
    rows = labelled_files(snakemake.params.rows)
    tabulate_extra(rows, Run(**snakemake.params.run), AblationConfig.model_validate(snakemake.params.config), Path(snakemake.output[0]))
