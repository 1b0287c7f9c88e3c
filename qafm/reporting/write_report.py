"""Rule write_report: tables, figures, rankings and the way they were made as one page that needs no network (stage 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from qafm.config.report import ReportConfig
from qafm.reporting.report_data import Content, browser_content, script_json
from qafm.reporting.report_dataset import describe_dataset, quality_spreads
from qafm.reporting.report_figures import show_figure
from qafm.reporting.report_headline import headline
from qafm.reporting.report_provenance import read_costs, read_weights, software, total_cost
from qafm.reporting.report_tables import by_category, show_table
from qafm.reporting.write_page import write_page
from qafm.tables.table4 import Run


@dataclass(frozen=True)
class ReportInputs:
    """What the report is made of.

    Args:
        run: names of the run.
        seeds: of its models.
        ranking_seed: the seed whose rankings are shown.
        config: the whole configuration, as plain mappings.
        command: that makes the run.
        tables: (title, category, CSV file, explanation in a sentence); the headline comes from table4.csv and table4_extra.csv.
        figures: (title, category, PNG file, .rst file with its caption).
        ranking: ranking.parquet of `ranking_seed`.
        images: images.parquet.
        dataset: dataset.json.
        quality: quality.json.
        weights: (stage, seed or None, safetensors file).
        benchmarks: (stage, benchmark file of Snakemake) of every job; a file may be missing.
    """

    run: Run
    seeds: Sequence[int]
    ranking_seed: int
    config: dict[str, Any]
    command: str
    tables: Sequence[tuple[str, str, str | Path, str]]
    figures: Sequence[tuple[str, str, str | Path, str | Path]]
    ranking: Path
    images: Path
    dataset: Path
    quality: Path
    weights: Sequence[tuple[str, int | None, str | Path]]
    benchmarks: Sequence[tuple[str, str | Path]]


def write_report(inputs: ReportInputs, config: ReportConfig, out: Path) -> None:
    """Write the report: one HTML file; equal inputs on equal software give equal bytes.

    Args:
        inputs: what it is made of.
        config: ranks per query, and how pictures are shown.
        out: the page. Pictures it does not hold itself are linked relative to its folder.

    Raises:
        InputError: an input cannot be read or does not fit; benchmark files may be missing.
    """
    content = browser_content(inputs.ranking, inputs.images, config, out.parent)
    write_page("report.html.jinja", out, scripts=["large.js", "browser.js"], config=config, **_results(inputs), **_provenance(inputs), **_browser(content))


def _results(inputs: ReportInputs) -> dict[str, Any]:
    tables = [(category, show_table(Path(path), title, explanation)) for title, category, path, explanation in inputs.tables]
    figures = [(category, show_figure(title, Path(png), Path(caption))) for title, category, png, caption in inputs.figures]
    spreads, quality_fact = quality_spreads(inputs.quality)
    return {
        "run": inputs.run,
        "seeds": list(inputs.seeds),
        "headline": headline([Path(path) for _, _, path, _ in inputs.tables]),
        "tables": by_category(tables),
        "figures": by_category(figures),
        "dataset": describe_dataset(inputs.dataset, inputs.config.get("dataset", {}).get("same_camera", "drop")),
        "spreads": spreads,
        "quality_fact": quality_fact,
    }


def _provenance(inputs: ReportInputs) -> dict[str, Any]:
    costs = read_costs([(stage, Path(path)) for stage, path in inputs.benchmarks])
    return {
        "command": inputs.command,
        "config_yaml": yaml.safe_dump(inputs.config, sort_keys=False, allow_unicode=True, width=120),
        "weights": read_weights([(stage, seed, Path(path)) for stage, seed, path in inputs.weights]),
        "costs": costs,
        "total": total_cost(costs),
        "software": software(),
        "ranking_seed": inputs.ranking_seed,
    }


def _browser(content: Content) -> dict[str, Any]:
    """The data of the ranking browser, and what is said above it."""
    aps = [ap for ap in content["queries"]["ap"] if ap is not None]
    return {
        "data": Markup(script_json(content)),  # escaped by script_json
        "n_queries": len(content["queries"]["image"]),
        "n_valid": len(aps),
        "browser_mAP": 100 * sum(aps) / len(aps) if aps else None,
        "n_images": len(content["images"]["id"]),
        "embedded": content["embedded"],
    }
