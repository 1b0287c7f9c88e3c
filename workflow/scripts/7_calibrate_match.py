"""Rule calibrate_match: embeddings -> the probability of a match from its distance."""

from pathlib import Path

from qafm.calibration.calibrate_match import calibrate_match
from qafm.config.calibration import CalibrationConfig
from qafm.runtime.job import stage_job

with stage_job(f"calibrate_match seed {snakemake.wildcards.seed}", snakemake.log[0]):
    calibrate_match(
        Path(snakemake.input.images),
        Path(snakemake.input.embeddings),
        Path(snakemake.input.head),
        dataset=snakemake.params.dataset,
        config=CalibrationConfig.model_validate(snakemake.params.config),
        out=Path(snakemake.output[0]),
    )
