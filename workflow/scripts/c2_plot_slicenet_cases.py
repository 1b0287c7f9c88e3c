"""Rule plot_slicenet_cases: the chosen queries -> the report's Figures 1 to 4."""

from pathlib import Path

from qafm.companions.slicenet.cases import KINDS
from qafm.companions.slicenet.plot_slicenet_cases import plot_slicenet_cases
from qafm.config.figures import StyleConfig
from qafm.runtime.job import stage_job

with stage_job("plot_slicenet_cases", snakemake.log[0]):
    plot_slicenet_cases(
        Path(snakemake.input.images),
        Path(snakemake.input.cases),
        snakemake.params.described,
        snakemake.params.run,
        StyleConfig.model_validate(snakemake.params.style),
        {kind: [Path(path) for path in snakemake.output[kind]] for kind in KINDS},
    )
