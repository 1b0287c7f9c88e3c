"""Cases chosen by the stated rule, and their figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from qafm.companions.slicenet.cases import KINDS, Case, Kind, read_cases
from qafm.companions.slicenet.choose_slicenet_cases import choose_query, choose_slicenet_cases
from qafm.companions.slicenet.plot_slicenet_cases import describe_case, draw_case, plot_slicenet_cases
from qafm.config.figures import StyleConfig
from qafm.errors import InputError
from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.ranking import Labels, Retrieval
from qafm.figures.drawing.caption import read_caption
from qafm.figures.drawing.style import figure_style
from qafm.tables.descriptors import descriptors_table
from qafm.tables.parquet import write_parquet
from tests.unit.figures.drawing.test_image_grid import assert_legible, frames, texts

People = Callable[..., Path]
DESCRIBED = {"alpha": "BigNet, last of 2 epochs", "beta": "SliceNet2, with mirrored copies, last of 2 epochs"}
STYLE = StyleConfig(dpi=80)


def descriptors(images: Path, name: str, wrong: set[str]) -> tuple[str, Path]:
    """Every identity in a direction of its own; the queries in `wrong` point to the next identity."""
    table = pq.read_table(images)
    rows = [row for row in table.to_pylist() if row["split"] != "train" and not row["junk"]]
    rng = np.random.default_rng(len(name))
    vectors = []
    for row in rows:
        pid = row["pid"] - 100 if row["pid"] else 5
        vectors.append(np.eye(8)[pid + (row["image_id"] in wrong)] + 0.05 * rng.normal(size=8))
    path = images.parent / f"{name}.parquet"
    found = descriptors_table([row["image_id"] for row in rows], [row["split"] for row in rows], unit_rows(np.array(vectors, np.float32)))
    write_parquet(path, found)
    return name, path


def chosen(images: Path, alpha_wrong: set[str], beta_wrong: set[str], same_camera: Any = "drop") -> dict[Kind, Case]:
    out = images.parent / "cases.json"
    choose_slicenet_cases(images, descriptors(images, "alpha", alpha_wrong), descriptors(images, "beta", beta_wrong), same_camera=same_camera, out=out)
    systems, cases = read_cases(out)
    assert systems == ("alpha", "beta")
    return cases


def test_kinds_follow_the_first_ranks(people: People) -> None:
    cases = chosen(people(), {"query-101"}, {"query-102"})
    assert {kind: case.query for kind, case in cases.items()} == {"first_helps": "query-102", "second_helps": "query-101", "both": "query-103"}
    assert cases["first_helps"].rule == "1 of 3 queries are right at rank 1 by alpha alone; this is the one of median difference in AP."
    assert cases["both"].rule == "1 of 3 queries are right at rank 1 by both alpha and beta; this is the one of median mean AP."
    case = chosen(people(), {"query-101"}, {"query-101"})["neither"]
    assert case.query == "query-101" and case.rule.startswith("1 of 3 queries are right at rank 1 by neither alpha nor beta;")


def retrieval(first_rank: list[int], ap: list[float]) -> Retrieval:
    n = len(ap)
    names = np.array([f"q{n - i}" for i in range(n)])  # descending, so that the order of names is not that of the queries
    ranks, aps = np.array(first_rank), np.array(ap)
    return Retrieval(Labels(np.arange(n), np.zeros(n, np.int16), names), ranks > 0, ranks, aps, aps, aps)


def test_the_median_query_stands_for_its_kind() -> None:
    """Queries 0-2 right by the first alone, 3 and 4 by both, 5 by nobody, 6 without a match."""
    first = retrieval([1, 1, 1, 1, 1, 2, 0], [0.9, 0.5, 0.8, 0.6, 0.6, 0.1, np.nan])
    second = retrieval([2, 3, 2, 1, 1, 2, 0], [0.6, 0.4, 0.2, 0.8, 0.8, 0.1, np.nan])
    found = {kind: choose_query(kind, ("alpha", "beta"), first, second) for kind in KINDS}
    assert found["first_helps"] == (0, "3 of 6 queries are right at rank 1 by alpha alone; this is the one of median difference in AP.")  # .3 of .1, .3, .6
    both = "2 of 6 queries are right at rank 1 by both alpha and beta; this is the one of median mean AP (the lower one of an even number)."
    assert found["both"] == (4, both)  # of equal ones q3, which is before q4
    assert found["neither"] == (5, "1 of 6 queries are right at rank 1 by neither alpha nor beta; this is the one of median mean AP.")
    assert found["second_helps"] is None
    assert choose_query("second_helps", ("beta", "alpha"), second, first) == found["first_helps"]


def test_what_a_case_holds(people: People) -> None:
    case = chosen(people(), {"query-101"}, set())["second_helps"]
    assert (case.pid, case.camid, case.n_relevant) == (101, 1, 1)  # of three gallery images one is the query's copy and one of its camera
    for system in (case.first, case.second):
        names = [place.image_id for place in system.places]
        assert len(names) == 8 and not {"gallery-101-0", "gallery-101-2", "gallery-junk"} & set(names)
        distances = [place.distance for place in system.places]
        assert distances == sorted(distances) and distances[0] >= 0 and distances[-1] <= 2
        assert [place.image_id for place in system.places if place.right] == ["gallery-101-1"]
        assert system.first_rank == 1 + names.index("gallery-101-1")
        assert system.ap == pytest.approx(1 / system.first_rank)
    assert case.first.first_rank > 1 and case.second.first_rank == 1
    kept = chosen(people(), {"query-101"}, set(), "keep")["second_helps"]
    assert kept.n_relevant == 2 and "gallery-101-0" not in {place.image_id for place in kept.first.places}


def test_other_images_are_refused(people: People) -> None:
    images = people()
    alpha, beta = descriptors(images, "alpha", set()), descriptors(images, "beta", set())
    write_parquet(beta[1], pq.read_table(beta[1]).slice(1))
    with pytest.raises(InputError, match=r"beta\.parquet: holds other gallery images than .*alpha\.parquet"):
        choose_slicenet_cases(images, alpha, beta, same_camera="drop", out=images.parent / "cases.json")
    assert not (images.parent / "cases.json").exists()


@pytest.mark.parametrize("content", ["torn", "[]", '{"systems": ["a"], "cases": []}', '{"systems": ["a", "b"], "cases": [{"kind": "both"}]}'])
def test_damaged_cases_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "cases.json").write_text(content)
    with pytest.raises(InputError, match=r"cases\.json: holds no cases"):
        read_cases(tmp_path / "cases.json")


def drawn(images: Path, case: Case, style: StyleConfig) -> Figure:
    files = {row["image_id"]: row["path"] for row in pq.read_table(images).to_pylist()}
    with figure_style():
        return draw_case(case, files, "some-people, alpha seed 1 and beta seed 1", style)


@pytest.mark.parametrize("width_in", [4.0, 6.4, 10.0])
@pytest.mark.parametrize("size", [(128, 48), (20, 60)])
def test_both_systems_are_drawn_one_above_the_other(people: People, width_in: float, size: tuple[int, int]) -> None:
    images = people(size=size, distractors=4)
    case = chosen(images, {"query-101"}, set())["second_helps"]
    figure = drawn(images, case, StyleConfig(dpi=100, width_in=width_in))
    shown = texts(figure)
    assert " ".join(shown[:2]).startswith("Right at rank 1 by beta alone. some-people, alpha seed 1 and beta seed 1")
    assert "query: query-101" in shown
    start = shown.index("query")
    assert shown[start : start + 3] == ["query", "cam 1", "1 right image"]
    alpha, beta = shown.index("alpha"), shown.index("beta")
    assert alpha < beta and shown[alpha + 1] == f"AP {100 * case.first.ap:.1f} %, 1 of 10 ranks right, the first at rank {case.first.first_rank}"
    for system, first in ((case.first, alpha + 2), (case.second, beta + 2)):
        wanted = []
        for rank, place in enumerate(system.places, start=1):
            wanted += [f"{'✓' if place.right else '✗'} {rank}", f"d {place.distance:.2f}", f"cam {place.camid}"]
        assert shown[first : first + len(wanted)] == wanted
    outlines = frames(figure)
    assert [outline.get_linestyle() for outline in outlines[1:11]] == ["solid" if place.right else "dashed" for place in case.first.places]
    assert len(outlines) == len(figure.axes) == 1 + 20
    assert_legible(figure)


def test_without_cameras_and_with_few_images(people: People) -> None:
    images = people(cameras=False, distractors=0)
    case = chosen(images, {"query-101"}, set(), "keep")["second_helps"]
    figure = drawn(images, case, STYLE)
    assert not any("cam" in text for text in texts(figure))
    assert len(figure.axes) == 1 + 8 + 8
    assert "identity 101), which has 2 right gallery images" in describe_case(case, DESCRIBED, "run")
    assert_legible(figure)


def test_the_caption_says_what_and_why(people: People) -> None:
    case = chosen(people(), {"query-101"}, set())["second_helps"]
    caption = describe_case(case, DESCRIBED, "some-people, seed 1")
    for part in (
        "right at rank 1 by beta alone; some-people, seed 1.",
        "image query-101 (identity 101, camera 1), which has 1 right gallery image.",
        "alpha (BigNet, last of 2 epochs) and beta (SliceNet2, with mirrored copies, last of 2 epochs)",
        f"alpha: AP {100 * case.first.ap:.1f} %, 1 of 8 ranks right, the first at rank {case.first.first_rank}; beta: AP 100.0 %",
        case.rule,
    ):
        assert part in caption, part


def test_every_kind_has_its_files_and_equal_data_give_equal_bytes(people: People, tmp_path: Path) -> None:
    images = people()
    chosen(images, {"query-101"}, set())
    for name in ("one", "two"):
        paths = {kind: [tmp_path / name / f"{kind}.{ending}" for ending in ("png", "svg", "rst")] for kind in KINDS}
        plot_slicenet_cases(images, tmp_path / "cases.json", DESCRIBED, "run", STYLE, paths)
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written == sorted(f"{kind}.{ending}" for kind in KINDS for ending in ("png", "svg", "rst"))
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in written)
    assert read_caption(tmp_path / "one" / "first_helps.rst") == "No query of this run is right at rank 1 by alpha alone. Run: run."
    assert read_caption(tmp_path / "one" / "neither.rst") == "No query of this run is right at rank 1 by neither alpha nor beta. Run: run."
    assert "this is the one of median" in read_caption(tmp_path / "one" / "both.rst")


def test_an_image_that_is_missing_is_told(people: People, tmp_path: Path) -> None:
    images = people()
    chosen(images, {"query-101"}, set())
    content = json.loads((tmp_path / "cases.json").read_text())
    content["cases"][0]["query"] = "gone"
    (tmp_path / "cases.json").write_text(json.dumps(content))
    kind = content["cases"][0]["kind"]
    with pytest.raises(InputError, match=r"images\.parquet: no image gone, which .*cases\.json names"):
        plot_slicenet_cases(images, tmp_path / "cases.json", DESCRIBED, "run", STYLE, {kind: [tmp_path / "out.png"]})
    assert not (tmp_path / "out.png").exists()
