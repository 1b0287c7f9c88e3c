"""`qafm search`: the nearest images, as text, as a page, as a picture."""

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from qafm.cli import search_strip
from qafm.cli.found import found_hit
from qafm.cli.naming import Named
from qafm.figures.drawing.image_grid import fit_text
from qafm.galleries.search_gallery import Hit
from qafm.inference.model import ReidModel, load
from tests.unit.cli.conftest import Run, one_line, rows


@pytest.fixture
def gallery(run: Run, place: Path) -> dict[str, dict[str, Any]]:
    """gallery.parquet of `gallery/`, and its rows."""
    run("embed", "gallery", "-o", "gallery.parquet", "--names", "market")
    return {row["image_id"]: row for row in pq.read_table(place / "gallery.parquet").to_pylist()}


def queries(place: Path, n: int) -> list[str]:
    return [f"query/{path.name}" for path in sorted((place / "query").iterdir())[:n]]


def nearest(rows: dict[str, dict[str, Any]], query: np.ndarray) -> list[tuple[float, str]]:
    """All images by distance, one by one."""
    return sorted((float(np.sqrt(sum((float(x) - float(y)) ** 2 for x, y in zip(row["descriptor"], query, strict=True)))), name) for name, row in rows.items())


def test_the_nearest_images(run: Run, place: Path, gallery: dict[str, dict[str, Any]], bundles: dict[str, Path]) -> None:
    files = queries(place, 2)
    embedded = load(bundles["one"], device="cpu").embed(files)
    content = json.loads(run("search", *files, "--gallery", "gallery.parquet", "--top", 4, "--json").stdout)
    assert content["exact"] is True
    for found, descriptor, q in zip(content["queries"], embedded.descriptor, embedded.q, strict=True):
        expected = nearest(gallery, descriptor)[:4]
        assert [hit["image_id"] for hit in found["hits"]] == [name for _, name in expected]
        assert [hit["distance"] for hit in found["hits"]] == pytest.approx([distance for distance, _ in expected], abs=1e-5)
        assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4]
        assert (found["q"], found["pid"], {hit["right"] for hit in found["hits"]}) == (q, None, {None})


def test_the_table(run: Run, place: Path, gallery: dict[str, dict[str, Any]]) -> None:
    file = queries(place, 1)[0]
    lines = run("search", file, "-g", "gallery.parquet", "--names", "market").stdout.splitlines()
    assert re.match(rf"{file}: Q \d\.\d+, visual weight 0\.\d+", lines[0])
    rows = [line.split() for line in lines[3:]]
    pid = int(Path(file).name.split("_")[0])
    assert [row[0] for row in rows] == [str(rank) for rank in range(1, 11)]
    for row in rows:
        assert row[5] in gallery
        assert row[4] == ("✓" if gallery[row[5]]["pid"] == pid else "✗")


def test_no_more_than_there_are(run: Run, place: Path, gallery: dict[str, dict[str, Any]]) -> None:
    content = json.loads(run("search", *queries(place, 1), "-g", "gallery.parquet", "--top", 1000, "--json").stdout)
    assert len(content["queries"][0]["hits"]) == len(gallery)


@pytest.mark.usefixtures("place")
def test_exclusions(run: Run, gallery: dict[str, dict[str, Any]]) -> None:
    name = next(name for name, row in sorted(gallery.items()) if row["pid"] > 0)
    first = json.loads(run("search", name, "-g", "gallery.parquet", "--json").stdout)["queries"][0]["hits"][0]
    assert (first["image_id"], first["distance"]) == (name, pytest.approx(0, abs=1e-5))
    hits = json.loads(run("search", name, "-g", "gallery.parquet", "--exclude-self", "--json").stdout)["queries"][0]["hits"]
    assert name not in {hit["image_id"] for hit in hits}
    command = ("search", name, "-g", "gallery.parquet", "--exclude-camera", "--top", 1000)
    hits = json.loads(run(*command, "--names", "market", "--json").stdout)["queries"][0]["hits"]
    others = {image for image, row in gallery.items() if row["camid"] != gallery[name]["camid"]}
    assert {hit["image_id"] for hit in hits} == others
    assert "needs the cameras of the queries" in " ".join(run(*command, code=2).stderr.split())


def test_cameras_that_the_gallery_does_not_know_cannot_be_excluded(run: Run, place: Path) -> None:
    run("embed", "gallery", "-o", "nameless.parquet")
    result = run("search", *queries(place, 1), "-g", "nameless.parquet", "--names", "market", "--exclude-camera", code=1)
    assert one_line(result.stderr).startswith("qafm: nameless.parquet: knows no cameras, so --exclude-camera would leave nothing out")


@pytest.mark.usefixtures("gallery")
def test_the_page(run: Run, place: Path) -> None:
    file = queries(place, 1)[0]
    hits = json.loads(run("search", file, "-g", "gallery.parquet", "--names", "market", "--html", "out/found.html", "--json").stdout)["queries"][0]["hits"]
    text = (place / "out" / "found.html").read_text()
    marks = re.findall(r'<li><figure class="(\w*)">.*?<b>(.) (\d+)</b>', text, flags=re.DOTALL)
    assert marks == [("right" if hit["right"] else "wrong", "✓" if hit["right"] else "✗", str(hit["rank"])) for hit in hits]
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == 1 + len(hits)
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert "the same identity" in text


@pytest.mark.usefixtures("gallery")
def test_without_identities_nothing_is_right_or_wrong(run: Run, place: Path) -> None:
    run("search", *queries(place, 1), "-g", "gallery.parquet", "--html", "found.html")
    text = (place / "found.html").read_text()
    assert "the same identity" not in text
    assert not re.search(r'class="(right|wrong)"|[✓✗]', text)


@pytest.mark.usefixtures("gallery")
def test_a_picture_that_is_gone(run: Run, place: Path) -> None:
    file = queries(place, 1)[0]
    hits = json.loads(run("search", file, "-g", "gallery.parquet", "--json").stdout)["queries"][0]["hits"]
    Path(hits[0]["image_id"]).unlink()
    Path(hits[1]["image_id"]).write_text("no picture any more")
    run("search", file, "-g", "gallery.parquet", "--html", "found.html", "--png", "found.png")
    assert (place / "found.html").read_text().count("no picture found here") == 2
    assert cv2.imread("found.png") is not None


@pytest.mark.usefixtures("gallery")
def test_another_picture_of_the_same_name_is_not_shown(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = queries(place, 1)[0]
    hit = json.loads(run("search", file, "-g", "gallery.parquet", "--json").stdout)["queries"][0]["hits"][0]
    (place / "elsewhere" / "gallery").mkdir(parents=True)
    (place / "elsewhere" / hit["image_id"]).write_bytes((place / file).read_bytes())
    monkeypatch.chdir(place / "elsewhere")
    found = found_hit(Hit(**{name: value for name, value in hit.items() if name != "right"}), Named(None, None), place / "gallery.parquet")
    assert found.file == place / hit["image_id"]  # beside the gallery
    (place / hit["image_id"]).unlink()
    assert found_hit(found.hit, Named(None, None), place / "gallery.parquet").file is None


@pytest.mark.parametrize(
    ("query", "hit", "right"),
    [(3, 3, True), (3, 4, False), (3, 0, False), (3, -1, False), (3, None, None), (None, 3, None), (0, 0, None), (-1, -1, None), (0, 3, None)],
)
def test_only_a_known_person_is_right_or_wrong(tmp_path: Path, query: int | None, hit: int | None, right: bool | None) -> None:
    found = found_hit(Hit(1, "none.jpg", 0.5, 0.875, hit, 1, 0, None, None, "0" * 64), Named(query, 1), tmp_path / "gallery.parquet")
    assert (found.right, found.mark, found.file) == (right, {True: "✓", False: "✗", None: ""}[right], None)


def test_names_mean_nothing_to_the_page(run: Run, place: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>.jpg"
    (place / "odd").mkdir()
    (place / "odd" / hostile).write_bytes(next((place / "query").iterdir()).read_bytes())
    run("embed", "odd", "-o", "g.parquet")
    run("search", f"odd/{hostile}", "-g", "g.parquet", "--html", "found.html")
    assert "<img src=x" not in (place / "found.html").read_text()


@pytest.mark.usefixtures("gallery")
def test_the_picture(run: Run, place: Path) -> None:
    sizes = []
    for files, top in ((queries(place, 1), 3), (queries(place, 3), 3), (queries(place, 1), 9)):
        run("search", *files, "-g", "gallery.parquet", "--names", "market", "--top", top, "--png", "found.png")
        picture = cv2.imread("found.png")
        assert picture is not None
        sizes.append(picture.shape[:2])
    assert sizes[1][0] > 2 * sizes[0][0] * 0.8
    assert sizes[2][1] > sizes[0][1]


@pytest.mark.usefixtures("gallery")
def test_many_hits_take_several_rows_and_many_queries_are_cut(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr(search_strip, "fit_text", lambda text, *size, **style: titles.append(text) or fit_text(text, *size, **style))
    monkeypatch.setattr(search_strip, "HITS_PER_ROW", 4)
    monkeypatch.setattr(search_strip, "ROWS", 4)

    def shape(count: int, top: int) -> tuple[int, int]:
        run("search", *queries(place, count), "-g", "gallery.parquet", "--top", top, "--png", "found.png")
        picture = cv2.imread("found.png")
        assert picture is not None
        return picture.shape[0], picture.shape[1]

    one, two, four = shape(1, 4), shape(1, 6), shape(2, 6)
    row = two[0] - one[0]
    assert row > 100 and one[1] == two[1] == four[1]  # 6 hits: two rows of the same width
    assert abs(four[0] - two[0] - 2 * row) < row / 2
    assert abs(shape(3, 6)[0] - four[0]) <= 2
    named = [text for text in titles if text.startswith("Nearest images")]
    assert named[-2:] == ["Nearest images of 2 queries", "Nearest images of the first 2 of 3 queries"]


@pytest.mark.usefixtures("gallery")
def test_a_picture_is_a_png_and_a_page_is_html(run: Run, place: Path) -> None:
    before, picture = (place / "gallery.parquet").read_bytes(), (place / queries(place, 1)[0]).read_bytes()
    (place / "query.png").write_bytes(picture)
    for option, name, reason in (
        ("--png", "found.jpg", "the name must end in .png"),
        ("--html", "gallery.parquet", "the name must end in .html or .htm"),
        ("--png", "query.png", "is read by this command, and would be written over; choose another name"),
    ):
        result = run("search", "query.png", "-g", "gallery.parquet", option, name, code=1)
        assert one_line(result.stderr) == f"qafm: {name}: {reason}"
    assert (place / "gallery.parquet").read_bytes() == before
    assert (place / "query.png").read_bytes() == picture


def test_a_gallery_without_q_is_searched_without(run: Run, place: Path) -> None:
    run("embed", "gallery", "-o", "fast.parquet", "--fast")
    name = sorted(path.name for path in (place / "gallery").iterdir())[0]
    found = json.loads(run("search", f"gallery/{name}", "-g", "fast.parquet", "--json").stdout)["queries"][0]
    assert found["q"] is None
    assert (found["hits"][0]["image_id"], found["hits"][0]["distance"]) == (f"gallery/{name}", pytest.approx(0, abs=1e-5))


@pytest.mark.usefixtures("gallery")
def test_the_gallery_of_another_model(run: Run, place: Path, bundles: dict[str, Path]) -> None:
    result = run("search", *queries(place, 1), "-g", "gallery.parquet", "--html", "found.html", "--model", bundles["other"], code=1)
    assert one_line(result.stderr).startswith("qafm: gallery.parquet: was made by the model made-up/f/m/seed-0 (")
    assert not (place / "found.html").exists()


@pytest.mark.parametrize(("content", "reason"), [(None, "cannot be opened"), (b"text", "is no whole Parquet file (4 bytes)")])
def test_a_gallery_that_is_none(run: Run, place: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (place / "g.parquet").write_bytes(content)
    assert one_line(run("search", *queries(place, 1), "-g", "g.parquet", code=1).stderr).startswith(f"qafm: g.parquet: {reason}")


@pytest.mark.usefixtures("gallery")
@pytest.mark.parametrize(("empty", "options", "reason"), [(False, ("--approximate", "always"), "has no index gallery.parquet.ivf"), (True, (), "is empty")])
def test_a_gallery_that_cannot_be_searched_is_told_before_the_work(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, empty: bool, options: tuple[str, ...], reason: str
) -> None:
    if empty:
        run("remove", "-g", "gallery.parquet", *(word for name in rows() for word in ("--image", name)))
    monkeypatch.delattr(ReidModel, "embed")
    assert one_line(run("search", *queries(place, 1), "-g", "gallery.parquet", *options, code=1).stderr) == f"qafm: gallery.parquet: {reason}"


@pytest.mark.usefixtures("gallery")
def test_a_bad_query(run: Run, place: Path) -> None:
    (place / "bad.jpg").write_text("no picture")
    result = run("search", "bad.jpg", "-g", "gallery.parquet", "--png", "found.png", code=1)
    assert (one_line(result.stderr), result.stdout) == ("qafm: bad.jpg: cannot be decoded as an image", "")
    assert not (place / "found.png").exists()
