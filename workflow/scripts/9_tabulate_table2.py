"""Rule tabulate_table2: the data set's counts -> table2.csv."""

from pathlib import Path

from qafm.reporting.tabulate_table2 import tabulate_table2
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_table2", snakemake.log[0]):
    tabulate_table2(Path(snakemake.input.dataset), Run(**snakemake.params.run), Path(snakemake.output[0]))
