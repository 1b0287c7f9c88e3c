"""Rule tabulate_bpbreid: artifacts, part maps' summaries, learning curves -> bpbreid.csv."""

from pathlib import Path

from qafm.companions.bpbreid.tabulate_bpbreid import VariantFiles, tabulate_bpbreid
from qafm.runtime.job import labelled_files, stage_job
from qafm.tables.table4 import Run

with stage_job("tabulate_bpbreid", snakemake.log[0]):
    variants = [
        VariantFiles(
            files["variant"],
            labelled_files(files["rows"]),
            *([Path(path) for path in files[kind]] for kind in ("summaries", "histories", "records")),
            files["note"],
        )
        for files in snakemake.params.variants
    ]
    tabulate_bpbreid(variants, dict(snakemake.params.absent), Run(**snakemake.params.run), snakemake.params.compared, Path(snakemake.output[0]))
