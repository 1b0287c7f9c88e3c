"""Rule evaluate_slicenet: descriptors -> what a row achieves, under the shared protocol and under COL780's."""

from pathlib import Path

from qafm.companions.slicenet.evaluate_slicenet import evaluate_slicenet
from qafm.runtime.job import stage_job

with stage_job(f"evaluate_slicenet seed {snakemake.wildcards.seed}", snakemake.log[0]):
    evaluate_slicenet(
        snakemake.wildcards.row,
        Path(snakemake.input.images),
        Path(snakemake.input.descriptors),
        same_camera=snakemake.params.same_camera,
        ranks=tuple(snakemake.params.ranks),
        note=snakemake.params.note,
        retrieval=Path(snakemake.output.retrieval),
        protocols=Path(snakemake.output.protocols),
    )
