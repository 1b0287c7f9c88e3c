import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from qafm.config.report import ReportConfig
from qafm.errors import InputError
from qafm.reporting.write_report import ReportInputs, write_report
from tests.made_up_report import HOSTILE, changed, make_inputs, noise_image, quality_content

VOID = {"meta", "link", "img", "input", "br"}
CELLS = {"th", "td", "dt", "dd", "small"}
DRAWN = {"line", "rect", "circle"}  # of SVG, written with a closing slash


class Page(HTMLParser):
    """A page, checked while it is read: every element is closed, no id is given twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in DRAWN
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in CELLS:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def written(inputs: ReportInputs, **config: Any) -> str:
    out = inputs.images.parent / "page" / "report.html"
    write_report(inputs, ReportConfig(**config), out)
    return out.read_text(encoding="utf-8")


def browser_data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_page_is_whole_and_says_what_it_was_given(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    text = written(inputs)
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for said in (
        "QAFM on made-up",
        "Features f, model m, backbones: random; seeds 1, 2.",
        "60.0 95 % interval 55.0 to 65.0",
        "QAFM is above the better single branch (+3.00 mAP)",
        "All 7 queries of seed 1",
        "1 without a right gallery image is excluded",
        "Table 4 The paper's rows.",
        "Beside it Other rows.",
        "In every row: dataset made-up",
        "A figure Caption of <img src=x onerror=alert(1)>.jpg: 3 < 4.",
        "make all CONFIG=config/made-up.yaml",
        "train 1 of 2 12.5 s 20.2 s 300 MiB",
        "embed 0 of 1 not recorded",
        "stages listed 1 of 3 12.5 s",
        "0123456789abcdef",
        "cpu, fp32, 2 threads",
        "same_camera: drop",
        "Names that end in .jpg.jpg (kept) 250",
        "and 50 more, in dataset.json",
        "gender male 5 2",
    ):
        assert said in page.text, said
    assert browser_data(text)["queries"]["n_relevant"] == [3, 3, 0, 3, 3, 3, 3]
    aps = [7 * i % 11 / 11 for i in range(7) if i != 2]
    assert f"Their mAP is {100 * sum(aps) / 6:.2f}." in page.text


def test_the_summary_has_each_number_in_its_place(tmp_path: Path) -> None:
    page = Page(written(make_inputs(tmp_path)))
    for said in (
        "mAP 60.0 95 % interval 55.0 to 65.0 Rank-1 70.0 ± 1.5 over seeds Mean alpha 0.31 ± 0.06 over queries Queries 7 2 seeds, averaged",
        "QAFM 70.00 ± 1.50 60.00 ± 0.50",
        "APN by its own descriptor 66.00 ± 1.50 57.00 ± 0.50 +3.00",
        "alpha 0.25, chosen on 5 held-out identities 72.00 ± 1.50 60.31 ± 0.50 −0.31",
        "a model of its own, trained at a fixed alpha of 0.5 73.00 ± 1.50 61.10 ± 0.50 −1.10",
    ):
        assert said in page.text, said


def test_differences_are_drawn_to_the_right_where_qafm_is_better(tmp_path: Path) -> None:
    page = Page(written(make_inputs(tmp_path)))
    # 92 to either side of 100 are the largest end of an interval, 5.00: 3.00 [1.00, 5.00], -0.31 [-1.07, 0.46], -1.10 [-1.97, -0.29]
    assert [(point["cx"], point["class"]) for point in page.of("circle")] == [("155.2", "sure"), ("94.3", "unsure"), ("79.8", "sure")]
    ranges = [(line["x1"], line["x2"]) for line in page.of("line") if line["class"] == "range"]
    assert ranges[:3] == [("118.4", "192.0"), ("80.3", "108.5"), ("63.8", "94.7")]


def test_q_per_set_is_drawn_beside_its_numbers(tmp_path: Path) -> None:
    page = Page(written(make_inputs(tmp_path)))
    assert "set images identities mean sd median min max" in page.text
    assert "train, trained on 5 2 0.2000 0.0500 0.1900 0.1000 0.3000" in page.text
    lines = {kind: [(line["x1"], line["x2"]) for line in page.of("line") if line["class"] == kind] for kind in ("range", "middle")}
    assert lines["range"][3:] == [("0.0", "100.0"), ("0.0", "100.0"), ("25.0", "50.0")]  # behind the three of the summary
    assert [(box["x"], box["width"]) for box in page.of("rect")] == [("25.0", "50.00"), ("25.0", "50.00"), ("35.0", "10.00")]
    assert lines["middle"] == [("50.0", "50.0"), ("50.0", "50.0"), ("40.0", "40.0")]


def test_headings_stand_above_their_columns(tmp_path: Path) -> None:
    page = Page(written(make_inputs(tmp_path)))
    for said in (
        "compared with Rank-1 mAP QAFM's mAP minus it",
        "camera 1 camera 2 camera 10 train 30 10 0 0 1, 2.5, 4 30 3 0",
        "attribute class train images identities query images identities gallery images identities gender male 5 2 5 2 5 2",
        "stage jobs recorded time processor time peak memory train 1 of 2 12.5 s 20.2 s 300 MiB",
        "stage seed code digest ran on file train 1 0123456789abcdef cpu, fp32, 2 threads",
    ):
        assert said in page.text, said


def test_our_own_row_stands_out_in_every_table(tmp_path: Path) -> None:
    assert re.findall(r'<tr class="own"><th scope="row">(.*?)</th>', written(make_inputs(tmp_path))) == ["QAFM", "QAFM"]


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    page = Page(written(make_inputs(tmp_path)))
    sources = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "action", "srcset", "data")]
    assert sources
    assert all(source and source.startswith(("data:", "#")) for source in sources)
    assert not any(name.startswith("on") or name == "style" for _, attributes in page.tags for name in attributes)


def test_the_policy_admits_the_page_s_own_style_and_scripts(tmp_path: Path) -> None:
    text = written(make_inputs(tmp_path))
    policy = next(attributes["content"] for attributes in Page(text).of("meta") if "http-equiv" in attributes)
    assert policy is not None
    for tag, number in (("style", 1), ("script", 2)):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(bodies) == number
        digests = (f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in bodies)
        assert f"{tag}-src {' '.join(digests)};" in policy
    assert "default-src 'none'" in policy


def test_hostile_names_are_text(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, names=HOSTILE)
    text = written(inputs, embed_images_up_to=0)
    page = Page(text)
    assert len(page.of("script")) == 3  # data and two programs
    assert [image for image in page.of("img") if not (image.get("src") or "").startswith("data:image/png")] == [{"alt": ""}]  # of the large view
    assert HOSTILE[0] in page.text  # set aside, and in a caption
    assert "data/<b>odd</b>" in page.text
    assert "<script>alert(3)</script>" in page.text
    assert [name.removeprefix("query/") for name in browser_data(text)["images"]["id"][: len(HOSTILE)]] == list(HOSTILE)


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    first = written(inputs)
    assert written(inputs) == first
    assert str(Path.home()) not in first.replace(str(tmp_path), "")


def test_embedded_and_linked_pictures(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    embedded, linked = written(inputs), written(inputs, embed_images_up_to=18)
    assert browser_data(embedded)["prefix"].startswith("data:image/webp;base64,")
    assert "This page holds 19 pictures of the data set." in Page(embedded).text
    assert browser_data(linked)["prefix"] == "../data/"
    assert "The 19 pictures are loaded from the data set: leave this page where it was made." in Page(linked).text


def test_rank_and_thumbnail_settings_are_followed(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    assert {len(ranks) for ranks in browser_data(written(inputs, ranks=4))["queries"]["gallery"]} == {4}
    for px in (32, 60):
        data = browser_data(written(inputs, thumbnail_px=px))
        encoded = base64.b64decode((data["prefix"] + data["images"]["src"][0]).split(",")[1])
        assert cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (px, px // 2)


def test_a_run_with_little_to_show(tmp_path: Path) -> None:
    inputs = changed(make_inputs(tmp_path), tables=[], figures=[], weights=[], benchmarks=[], seeds=[4], config={})
    (tmp_path / "quality.json").write_text(json.dumps(quality_content()))
    page = Page(written(inputs))
    assert "None of the tables has a measured row of QAFM." in page.text
    assert "seed 4." in page.text
    assert [link["href"] for link in page.of("a")] == ["#summary", "#summary", "#rankings", "#data-set", "#making"]


def test_the_protocol_of_the_configuration_is_used(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    assert "6 of 7 queries have a right image in another camera" in Page(written(inputs)).text
    inputs = changed(inputs, config={"dataset": {"same_camera": "keep"}})
    assert "7 of 7 queries have a right image in the gallery" in Page(written(inputs)).text


def test_figures_stand_in_their_categories_with_their_size(tmp_path: Path) -> None:
    page = Page(written(make_inputs(tmp_path)))
    shown = [image for image in page.of("img") if (image.get("src") or "").startswith("data:image/png")]
    assert [(image["width"], image["height"], image["loading"], image["alt"]) for image in shown] == [
        ("320", "200", "lazy", "A figure"),
        ("320", "200", "lazy", "Another"),
    ]
    assert base64.b64decode((shown[0]["src"] or "").split(",")[1]) == (tmp_path / "figure.png").read_bytes()
    assert page.text.index("Noise A figure") < page.text.index("More Another")


@pytest.mark.parametrize(
    "name", ["figure.png", "figure.rst", "table4.csv", "model.safetensors", "dataset.json", "quality.json", "ranking.parquet", "images.parquet"]
)
def test_a_missing_input_is_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    inputs = make_inputs(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=re.escape(name)):
        written(inputs)
    assert not (tmp_path / "page" / "report.html").exists()


def test_a_full_disk_leaves_the_page_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, out, write_text = make_inputs(tmp_path), tmp_path / "page" / "report.html", Path.write_text
    out.parent.mkdir()
    out.write_text("the page before")

    def half(path: Path, text: str, **settings: Any) -> None:
        write_text(path, text[: len(text) // 2], **settings)
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space left"):
        written(inputs)
    assert out.read_text() == "the page before" and list(out.parent.iterdir()) == [out]


def test_a_picture_of_another_kind_is_no_figure(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    noise_image(tmp_path / "figure.jpg", 1)
    with pytest.raises(InputError, match=r"figure\.jpg: is no PNG file"):
        written(changed(inputs, figures=[("A", "B", tmp_path / "figure.jpg", tmp_path / "figure.rst")]))


def test_an_image_that_is_gone_is_named(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    (tmp_path / "data" / "gallery" / "g3.png").unlink()
    with pytest.raises(InputError, match=r"g3\.png: cannot be read"):
        written(inputs)
    assert "g3.png" in written(inputs, embed_images_up_to=0)  # a link is not opened: the page shows the name
