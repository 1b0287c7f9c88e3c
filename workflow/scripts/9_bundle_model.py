"""Rule bundle_model: a trained model -> one folder that works without the run."""

from pathlib import Path

from qafm.bundles.bundle_model import BundleSettings, BundleSources, bundle_model
from qafm.config.fusion import FusedModelConfig
from qafm.config.q_network import QNetwork
from qafm.runtime.job import stage_job

with stage_job(f"bundle_model seed {snakemake.wildcards.seed}", snakemake.log[0]):
    given = snakemake.input
    kinds = {"model": FusedModelConfig, "q": QNetwork}
    bundle_model(
        BundleSources(
            images=Path(given.images),
            summary=Path(given.summary),
            model=Path(given.model),
            extractor=Path(given.extractor) if given.extractor else None,
            rows=dict(zip(snakemake.params.rows, map(Path, given.rows), strict=True)),
            attributes=Path(given.attributes) if given.attributes else None,
            calibration=Path(given.calibration),
        ),
        BundleSettings(**snakemake.params.named, **{name: kind.model_validate(snakemake.params.settings[name]) for name, kind in kinds.items()}),
        Path(snakemake.output[0]),
    )
