"""What a finished run shows: the report page and Snakemake's own report hold every figure and table, with the same captions."""

import html
import json
import re
from pathlib import Path

import pytest

from qafm.figures.drawing.caption import read_caption
from tests.workflow.conftest import TINY, Project

pytestmark = pytest.mark.workflow
FIGURES = (
    "figure1_identity",
    "figure2_architecture",
    "figure3_iqa_branch",
    "figure4_identifiability",
    "figure5_q",
    "figure6_alpha",
    "figure7_q_against_alpha",
    "figure8_activation",
    "figure9_success",
    "figure10_failure",
    "training_curves",
    "table4_curve",
    "match_reliability",
)
TABLES = (
    "table2",
    "table3",
    "table4",
    "table4_extra",
    "reranked",
    "calibration",
    "quality",
    "deciles",
    "degradations",
    "oracle",
    "guides",
    "attributes",
    "controls",
)


def visible(text: str) -> str:
    """Text of a page without its tags, white space collapsed."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_every_figure_is_there_in_every_format_with_a_caption(finished: Project) -> None:
    folder = finished.root / "results" / "figures"
    assert {path.name for path in folder.iterdir()} == {f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg", "rst")}
    for name in FIGURES:
        assert "tiny, r10-tiny, tiny, seed" in read_caption(folder / f"{name}.rst"), name


def test_the_page_holds_all_of_it(finished: Project) -> None:
    page = (finished.root / "results" / "report.html").read_text(encoding="utf-8")
    text = visible(page)
    for name in FIGURES:
        assert read_caption(finished.root / "results" / "figures" / f"{name}.rst") in text, name
    for name in TABLES:
        assert (finished.root / "results" / f"{name}.csv").stat().st_size > 0
        assert " ".join((finished.root / "workflow" / "report" / f"{name}.rst").read_text().split()) in text, name
    assert "make all CONFIG=config/tiny.yaml" in text
    assert str(finished.root) not in page
    costs, total = text[text.index("jobs recorded") :].split("stages listed")
    recorded = re.findall(r"\b(\d+) of (\d+)\b", costs)
    assert recorded and all(found == expected for found, expected in recorded)
    of_chain = [path for path in (finished.root / "results" / "tiny").rglob("benchmarks/**/*.tsv") if "companions" not in path.parts]
    assert re.findall(r"\b(\d+) of (\d+)\b", total)[0] == (str(len(of_chain)), str(len(of_chain)))  # no record is left out


def test_snakemake_s_report_shows_the_same(finished: Project, tmp_path: Path) -> None:
    finished.must_run("--report", str(tmp_path / "report.html"), *TINY)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    start = text.index("{", text.index('<script id="results">'))
    results = json.JSONDecoder().raw_decode(text[start:])[0]
    shown = {Path(result["name"]).stem: result for result in results.values()}
    assert set(shown) == {*FIGURES, *TABLES}
    for name in FIGURES:
        caption = read_caption(finished.root / "results" / "figures" / f"{name}.rst")
        assert visible(shown[name]["caption"]) == caption
        assert shown[name]["labels"]["figure"]
