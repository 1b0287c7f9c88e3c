"""The report page in a real browser: it opens from a file, without a network, and does what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qafm.config.report import ReportConfig
from qafm.reporting.write_report import ReportInputs, write_report
from tests.browser.opened_page import Opened
from tests.made_up_report import HOSTILE, changed, make_inputs, query_row


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReportInputs]:
    """A page with embedded pictures and its inputs."""
    folder = tmp_path_factory.mktemp("page")
    inputs = make_inputs(folder)
    write_report(inputs, ReportConfig(thumbnail_px=48), folder / "report.html")
    return folder / "report.html", inputs


@pytest.fixture
def opened(chromium: Any, made: tuple[Path, ReportInputs]) -> Iterator[Opened]:
    found = Opened(chromium, made[0])
    yield found
    assert found.faults == []
    assert [url for url in found.requests if not url.startswith("data:")] == [found.url]
    found.page.context.close()


def numbers(texts: list[str]) -> list[float | None]:
    return [None if text == "–" else float(text) for text in texts]


def test_the_page_opens_with_all_its_pictures(opened: Opened) -> None:
    assert opened.page.title() == "QAFM on made-up"
    assert opened.names() == [f"query/q{i}.png" for i in range(7)]
    assert opened.shown() == "q0.png"
    assert opened.fragment() == ""
    opened.load_all_images()
    assert opened.page.evaluate("[...document.images].filter((image) => image.naturalWidth > 0).length") == 7 + 11 + 2  # list, viewer, figures


@pytest.mark.parametrize(("sort", "column"), [("ap", "ap"), ("q", "q"), ("weight", "weight"), ("alpha", "alpha"), ("first", "first"), ("camera", "camera")])
def test_a_heading_sorts_both_ways_and_what_is_unknown_stays_last(opened: Opened, sort: str, column: str) -> None:
    before = opened.names()
    heading = opened.page.locator(f"[data-sort={sort}]")
    for direction, descending in (("ascending", False), ("descending", True)):
        heading.click()
        found = numbers(opened.column(column))
        known = [value for value in found if value is not None]
        assert known == sorted(known, reverse=descending)
        assert None not in found[: len(known)]
        assert opened.page.locator(f"th:has([data-sort={sort}])").get_attribute("aria-sort") == direction
        assert opened.focused().startswith(opened.page.locator(f"[data-sort={sort}]").inner_text()[:2])
        assert sorted(opened.names()) == sorted(before)
    assert opened.names() != before


def test_values_stand_beside_their_query(opened: Opened) -> None:
    opened.page.locator("[data-sort=pid]").click()
    gallery = [f"gallery/g{i}.png" for i in range(12)]
    for place, i in enumerate(reversed(range(7))):  # pid is 100 - i
        row = query_row(i, f"query/q{i}.png", gallery, 10, relevant=0 if i == 2 else 3)
        cells = {name: opened.column(name)[place] for name in ("pid", "camera", "ap", "first", "q", "alpha", "weight")}
        assert opened.names()[place] == row["image_id"]
        assert cells == {
            "pid": str(row["pid"]),
            "camera": "–" if row["camid"] is None else str(row["camid"]),
            "ap": "–" if row["ap"] is None else f"{100 * row['ap']:.1f}",
            "first": "–" if row["first_rank"] is None else str(row["first_rank"]),
            "q": "–" if row["q"] is None else f"{row['q']:.4f}",
            "alpha": f"{1 - row['visual_weight']:.3f}",
            "weight": f"{row['visual_weight']:.3f}",
        }


def test_the_select_box_sorts_too(chromium: Any, made: tuple[Path, ReportInputs]) -> None:
    phone = Opened(chromium, made[0], width=390)
    phone.page.locator("#sort").select_option("pid")
    assert phone.names() == [f"query/q{i}.png" for i in reversed(range(7))]
    phone.page.locator("#direction").click()
    assert phone.names() == [f"query/q{i}.png" for i in range(7)]
    assert phone.page.locator("#direction").inner_text() == "Descending ↓"
    assert phone.faults == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q3", ["query/q3.png"]),
        ("pid:95", ["query/q5.png"]),
        ("pid:0095", ["query/q5.png"]),
        ("pid 95", ["query/q5.png"]),
        ("camera:1 q", ["query/q0.png", "query/q6.png"]),
        ("none", []),
    ],
)
def test_search(opened: Opened, text: str, expected: list[str]) -> None:
    opened.page.locator("#search").fill(text)
    assert opened.names() == expected
    status = opened.page.locator("#status").inner_text()
    assert status == (f"1 to {len(expected)} of {len(expected)} queries of 7 in all" if expected else "No query matches.")
    opened.page.locator("#search").fill("")
    assert len(opened.names()) == 7


def assert_viewer_shows(page: Any, i: int) -> None:
    """The viewer holds every rank of query i with its own numbers."""
    row = query_row(i, f"query/q{i}.png", [f"gallery/g{g}.png" for g in range(12)], 10, relevant=0 if i == 2 else 3)
    ranks = page.locator("#viewer ol > li")
    assert ranks.count() == 10
    for rank in range(10):
        item = ranks.nth(rank)
        word = "right" if row["right"][rank] else "wrong"
        assert item.get_attribute("class") == word
        assert item.locator(".badge").inner_text().split() == [str(rank + 1), "✓" if word == "right" else "✗", word]
        values = dict(zip(item.locator("dt").all_inner_texts(), item.locator("dd").all_inner_texts(), strict=True))
        expected = {"dist.": row["distance"][rank], "Q": row["gallery_q"][rank], "alpha": 1 - row["gallery_weight"][rank]}
        assert values == {name: f"{value:.{4 if name == 'Q' else 3}f}" for name, value in expected.items()}
        pid = row["gallery_pid"][rank]
        who = "distractor" if row["gallery_id"][rank] == "gallery/g4.png" else f"pid {pid}"
        assert item.locator(".who").inner_text().split("\n") == [who, f"camera {row['gallery_camid'][rank]}"]
        assert item.locator("img").get_attribute("alt") == f"rank {rank + 1}, {word}: {row['gallery_id'][rank]}"
    assert page.locator(".query img").get_attribute("alt") == f"query: query/q{i}.png"


def test_a_click_opens_a_query(opened: Opened) -> None:
    opened.page.locator("#rows tr").nth(3).locator("td.ap").click()
    assert opened.shown() == "q3.png"
    assert opened.fragment() == "#q=query%2Fq3.png"
    assert opened.page.locator("#rows tr[aria-current]").locator(".name a").all_inner_texts() == ["query/q3.png"]
    row = query_row(3, "", ["g"] * 12, 10)
    assert opened.page.locator("#viewer .head p").inner_text() == f"3 right in the gallery, the first at rank {row['first_rank']}. AP {100 * row['ap']:.1f} %."
    assert_viewer_shows(opened.page, 3)


def test_the_keyboard_goes_on(opened: Opened) -> None:
    opened.page.locator("#rows .name a").nth(1).focus()
    opened.page.keyboard.press("Enter")
    assert opened.shown() == "q1.png"
    assert_viewer_shows(opened.page, 1)
    for key, name in (("ArrowDown", "q2"), ("j", "q3"), ("k", "q2"), ("ArrowUp", "q1"), ("ArrowUp", "q0"), ("ArrowUp", "q0")):
        opened.page.keyboard.press(key)
        assert opened.shown() == f"{name}.png"
        assert opened.focused() == f"query/{name}.png"
    opened.page.locator("[data-sort=pid]").click()
    opened.page.locator("#search").focus()
    opened.page.keyboard.type("j")
    assert opened.page.locator("#search").input_value() == "j"
    assert opened.shown() == "q0.png"


def test_previous_and_next(opened: Opened) -> None:
    steps = opened.page.locator("#viewer .steps button")
    assert steps.nth(0).is_disabled()
    steps.nth(1).click()
    steps.nth(1).click()
    assert opened.shown() == "q2.png"
    steps.nth(0).click()
    assert opened.shown() == "q1.png"
    opened.page.locator("#search").fill("q1")  # the only one listed: there is nowhere to go
    assert steps.nth(0).is_disabled() and steps.nth(1).is_disabled()
    opened.page.locator("#search").fill("")
    assert not steps.nth(0).is_disabled() and not steps.nth(1).is_disabled()


def test_an_excluded_query_is_marked(opened: Opened) -> None:
    assert opened.page.locator("#rows .excluded").count() == 1
    opened.page.locator("#rows tr:has(.excluded)").click()
    assert opened.shown() == "q2.png"
    assert opened.page.locator("#viewer .head p").inner_text().startswith("Excluded from the metrics")
    assert_viewer_shows(opened.page, 2)


def test_a_figure_opens_large(opened: Opened) -> None:
    opened.page.locator("button.zoom").first.click()
    large = opened.page.locator("#large")
    assert large.is_visible()
    assert large.locator("img").get_attribute("src") == opened.page.locator("button.zoom img").first.get_attribute("src")
    large.locator("button").click()
    assert not large.is_visible()


def test_the_hash_opens_a_query(chromium: Any, made: tuple[Path, ReportInputs]) -> None:
    linked = Opened(chromium, made[0], fragment="#q=query%2Fq5.png")
    assert linked.shown() == "q5.png"
    assert_viewer_shows(linked.page, 5)
    linked.page.locator("#search").fill("q0")
    linked.page.evaluate("location.hash = '#q=' + encodeURIComponent('query/q4.png')")
    linked.wait_until("document.querySelector('#viewer h3').textContent === 'q4.png'")
    assert len(linked.names()) == 7  # the search that hid it is given up
    linked.page.keyboard.press("j")
    assert linked.shown() == "q5.png"
    for wrong in ("#q=nothing", "#q=%E0%A4%A", "#tables"):
        other = Opened(chromium, made[0], fragment=wrong)
        assert other.shown() == "q0.png"
        assert other.faults == []
    assert linked.faults == []


@pytest.mark.parametrize("width", [360, 390, 720, 800, 1280])
def test_the_page_never_scrolls_sideways(chromium: Any, made: tuple[Path, ReportInputs], width: int) -> None:
    narrow = Opened(chromium, made[0], width=width)
    narrow.page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= width
    narrow.page.evaluate("scrollTo(500, 0)")
    assert narrow.page.evaluate("scrollX") == 0


def test_hostile_names_stay_text_and_linked_files_with_odd_names_load(chromium: Any, tmp_path: Path) -> None:
    long = "a" * 150 + ".png"
    names = [*HOSTILE, long]  # one has a slash: </script> may come about from a folder's name and a file's
    inputs = make_inputs(tmp_path / "data of #1 & 50%", names=names, n_queries=8)
    inputs = changed(inputs, command="<img src=x onerror=alert(4)>", figures=[(HOSTILE[0], HOSTILE[1], *figure[2:]) for figure in inputs.figures])
    (tmp_path / "results" / "deep").mkdir(parents=True)
    for embed in (0, 100):
        page = tmp_path / "results" / "deep" / f"report {embed}.html"
        write_report(inputs, ReportConfig(embed_images_up_to=embed, thumbnail_px=32), page)
        opened = Opened(chromium, page, width=360)
        assert sorted(opened.names()) == sorted(f"query/{name}" for name in [*names, "q6.png", "q7.png"])
        opened.load_all_images()
        assert opened.page.locator(".missing").count() == 0
        assert opened.page.evaluate("[...document.querySelectorAll('#rankings img')].every((image) => image.naturalWidth > 0)")
        for name in names:
            opened.page.locator("#rows .name a", has_text=name).click()
            assert opened.shown() == name.split("/")[-1]
            opened.page.goto(opened.page.url)
            opened.page.reload()
            assert opened.shown() == name.split("/")[-1]
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert opened.faults == []
        assert all(url.startswith(("data:", "file:")) for url in opened.requests)
        opened.page.context.close()


def test_a_picture_that_is_gone_shows_its_name(chromium: Any, tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    write_report(inputs, ReportConfig(embed_images_up_to=0), tmp_path / "report.html")
    (tmp_path / "data" / "query" / "q0.png").unlink()
    (tmp_path / "data" / "gallery" / "g1.png").unlink()
    opened = Opened(chromium, tmp_path / "report.html")
    opened.wait_until("document.querySelectorAll('.missing').length === 3")
    assert opened.page.locator("#viewer .missing").all_inner_texts() == ["query/q0.png", "gallery/g1.png"]
    assert opened.page.locator("#viewer li .missing").get_attribute("aria-label") == "rank 2, wrong: gallery/g1.png"


def test_a_large_data_set_stays_light(chromium: Any, tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, n_queries=3368, n_gallery=15913, one_picture=True)
    write_report(inputs, ReportConfig(), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
    opened = Opened(chromium, tmp_path / "report.html")
    count = "document.getElementsByTagName('tr').length"
    assert len(opened.names()) == 50
    assert opened.page.evaluate(count) < 300
    assert opened.page.locator("#status").inner_text() == "1 to 50 of 3368 queries"
    opened.page.locator("#forward").click()
    assert opened.names()[0] == "query/q50.png"
    opened.page.locator("[data-sort=pid]").click()
    assert opened.names()[0] == "query/q3367.png"
    opened.page.locator("#rows .name a").first.click()
    for _ in range(55):
        opened.page.keyboard.press("j")
    assert opened.shown() == "q3312.png"
    assert opened.page.locator("#status").inner_text() == "51 to 100 of 3368 queries"
    assert opened.page.evaluate(count) < 300
    assert opened.faults == []


def test_on_paper_the_browser_is_left_out(chromium: Any, made: tuple[Path, ReportInputs]) -> None:
    printed = Opened(chromium, made[0])
    printed.page.emulate_media(media="print")
    assert not printed.page.locator("#rankings").is_visible()
    assert not printed.page.locator("nav").is_visible()
    assert printed.page.locator("#tables").is_visible()
