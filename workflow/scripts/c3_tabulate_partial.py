"""Rule tabulate_partial: artifacts of all systems and protocols -> partial.csv."""

from pathlib import Path

from qafm.companions.bpbreid.tabulate_partial import SystemFiles, tabulate_partial
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_partial", snakemake.log[0]):
    systems = [SystemFiles(files["system"], files["compared"], files["visibilities"], labelled_files(files["rows"])) for files in snakemake.params.systems]
    tabulate_partial(systems, Run(**snakemake.params.run), Path(snakemake.output[0]))
