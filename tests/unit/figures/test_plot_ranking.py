"""Figures 9 and 10 together: the chosen queries, or a sentence where there is none of a kind."""

from pathlib import Path

from qafm.config.figures import StyleConfig
from qafm.figures.drawing.caption import read_caption
from qafm.figures.plot_ranking import plot_ranking
from qafm.tables.examples import Example, write_examples
from tests.unit.figures.test_plot_query import ANSWER, RULE, write

STYLE = StyleConfig(dpi=60)


def test_each_kind_gets_its_own_query_and_a_missing_one_a_sentence(tmp_path: Path) -> None:
    images, ranking = write(tmp_path, ANSWER)
    write_examples(tmp_path / "examples.json", [Example("success", "a.png", None, RULE)])
    paths = {kind: [tmp_path / f"{kind}.png", tmp_path / f"{kind}.rst"] for kind in ("success", "failure")}
    plot_ranking(images, ranking, tmp_path / "examples.json", "a run", STYLE, paths)  # type: ignore[arg-type]
    assert RULE in read_caption(paths["success"][1]) and "a.png" in read_caption(paths["success"][1])
    assert read_caption(paths["failure"][1]) == "No query of this run has a wrong first rank, so there is no failure to show. Run: a run."
    assert all(path.stat().st_size for files in paths.values() for path in files)
