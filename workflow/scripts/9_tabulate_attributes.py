"""Rule tabulate_attributes: APAN's scores after both stages -> attributes.csv."""

from pathlib import Path

from qafm.evaluation.tabulate_attributes import tabulate_attributes
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_attributes", snakemake.log[0]):
    files = labelled_files(snakemake.params.files)
    tabulate_attributes(files, Run(**snakemake.params.run), Path(snakemake.output[0]))
