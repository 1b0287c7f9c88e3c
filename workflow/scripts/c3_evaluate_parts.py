"""Rule evaluate_parts: embeddings of all views -> one artifact per protocol."""

from pathlib import Path

from qafm.companions.bpbreid.evaluate_parts import evaluate_parts
from qafm.companions.bpbreid.views import PROTOCOLS, VIEWS
from qafm.runtime.job import stage_job

with stage_job(f"evaluate_parts {snakemake.wildcards.system} {snakemake.wildcards.visibility} seed {snakemake.wildcards.seed}", snakemake.log[0]):
    evaluate_parts(
        Path(snakemake.input.images),
        {view: Path(snakemake.input[view]) for view in VIEWS},
        snakemake.wildcards.visibility,
        foreground=snakemake.params.foreground,
        same_camera=snakemake.params.same_camera,
        ranks=tuple(snakemake.params.ranks),
        outs={(query, gallery): Path(snakemake.output[f"{query}_{gallery}"]) for query, gallery in PROTOCOLS},
    )
