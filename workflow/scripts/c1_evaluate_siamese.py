"""Rule evaluate_siamese: an arm's descriptors and predicted attributes -> retrieval.json, filters.json."""

from pathlib import Path

from qafm.companions.par.evaluate_siamese import SiameseInputs, evaluate_siamese
from qafm.config.par import FiltersConfig, SearchConfig
from qafm.runtime.job import stage_job

with stage_job(f"evaluate_siamese ({snakemake.wildcards.arm}) seed {snakemake.wildcards.seed}", snakemake.log[0]):
    evaluate_siamese(
        snakemake.wildcards.arm,
        SiameseInputs(*(Path(snakemake.input[name]) for name in ("images", "descriptors", "predictions"))),
        search=SearchConfig.model_validate(snakemake.params.search),
        filters=FiltersConfig.model_validate(snakemake.params.filters),
        same_camera=snakemake.params.same_camera,
        ranks=tuple(snakemake.params.ranks),
        retrieval=Path(snakemake.output.retrieval),
        filtered=Path(snakemake.output.filtered),
    )
