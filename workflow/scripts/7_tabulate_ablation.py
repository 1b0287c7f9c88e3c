"""Rule tabulate_ablation: the rows' artifacts -> table4.csv."""

from pathlib import Path

from qafm.evaluation.tabulate_ablation import tabulate_ablation
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_ablation", snakemake.log[0]):
    rows = labelled_files(snakemake.params.rows)
    tabulate_ablation(rows, Run(**snakemake.params.run), Path(snakemake.output[0]))
