"""Rule tabulate_siamese: both arms' measurements and learning curves -> siamese.csv."""

from pathlib import Path

from qafm.companions.par.tabulate_siamese import SiameseRun, tabulate_siamese
from qafm.runtime.job import labelled_files, stage_job

with stage_job("tabulate_siamese", snakemake.log[0]):
    files = labelled_files(snakemake.params.files)
    curves = {arm: [[Path(path) for path in seeds] for seeds in trainings] for arm, trainings in snakemake.params.curves.items()}
    tabulate_siamese(files, curves, SiameseRun(**snakemake.params.run), Path(snakemake.output[0]))
