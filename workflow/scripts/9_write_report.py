"""Rule write_report: artifacts of all stages -> report.html."""

from pathlib import Path

from qafm.config.report import ReportConfig
from qafm.reporting.write_report import ReportInputs, write_report
from qafm.runtime.job import stage_job
from qafm.tables.table4 import Run

given, params = snakemake.input, snakemake.params
with stage_job("write_report", snakemake.log[0]):
    inputs = ReportInputs(
        run=Run(**params.run),
        seeds=params.config["seeds"],
        ranking_seed=params.config["seeds"][0],
        config=params.config,
        command=params.command,
        tables=params.tables,
        figures=params.figures,
        ranking=Path(given.ranking),
        images=Path(given.images),
        dataset=Path(given.dataset),
        quality=Path(given.quality),
        weights=params.weights,
        benchmarks=params.benchmarks,
    )
    write_report(inputs, ReportConfig.model_validate(params.config["report"]), Path(snakemake.output[0]))
