"""Rule evaluate_alpha: embeddings -> one row of Table 4, or of the table beside it."""

from pathlib import Path

from qafm.config.ablation import AblationConfig
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.runtime.job import stage_job

with stage_job(f"evaluate_alpha seed {snakemake.wildcards.seed}", snakemake.log[0]):
    evaluate_alpha(
        snakemake.wildcards.experiment,
        Path(snakemake.input.images),
        Path(snakemake.input.embeddings),
        Path(snakemake.input.head),
        same_camera=snakemake.params.same_camera,
        config=AblationConfig.model_validate(snakemake.params.config),
        out=Path(snakemake.output[0]),
    )
