"""Rule tabulate_table3: the published rows and ours -> table3.csv."""

from pathlib import Path

from qafm.reporting.tabulate_table3 import tabulate_table3
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_table3", snakemake.log[0]):
    tabulate_table3(Path(snakemake.input.table4), Path(snakemake.input.extra), Run(**snakemake.params.run), snakemake.params.rivals, Path(snakemake.output[0]))
