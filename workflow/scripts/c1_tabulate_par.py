"""Rule tabulate_par: predicted attributes of all networks -> par_accuracy.csv, par_f1.csv."""

from pathlib import Path

from qafm.companions.par.tabulate_par import ParRun, tabulate_par
from qafm.runtime.job import labelled_files, stage_job

with stage_job("tabulate_par", snakemake.log[0]):
    tabulate_par(
        labelled_files(snakemake.params.files),
        Path(snakemake.input.images),
        ParRun(**snakemake.params.run),
        Path(snakemake.output.accuracy),
        Path(snakemake.output.macro_f1),
    )
