"""Rule tabulate_slicenet: artifacts and learning curves -> slicenet.csv."""

from pathlib import Path

from qafm.companions.slicenet.tabulate_slicenet import tabulate_slicenet
from qafm.config.slicenet import SlicenetConfig
from qafm.runtime.job import labelled_files, stage_job

with stage_job("tabulate_slicenet", snakemake.log[0]):
    rows, histories, records = (labelled_files(snakemake.params[name]) for name in ("rows", "histories", "records"))
    tabulate_slicenet(
        Path(snakemake.input.images),
        rows,
        histories,
        records,
        SlicenetConfig.model_validate(snakemake.params.config),
        snakemake.params.dataset,
        Path(snakemake.output[0]),
    )
