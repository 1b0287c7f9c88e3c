"""Rule tabulate_siamese: both arms' measurements -> siamese.csv."""

from pathlib import Path

from qafm.companions.par.tabulate_siamese import SiameseRun, tabulate_siamese
from qafm.runtime.job import stage_job

with stage_job("tabulate_siamese", snakemake.log[0]):
    files = [(seed, arm, Path(path)) for seed, arm, path in snakemake.params.files]
    tabulate_siamese(files, SiameseRun(**snakemake.params.run), Path(snakemake.output[0]))
