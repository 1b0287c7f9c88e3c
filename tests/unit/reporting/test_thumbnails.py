import base64
from pathlib import Path
from urllib.parse import unquote, urljoin

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.reporting.thumbnails import linked_url, thumbnail, thumbnail_url
from tests.made_up_report import noise_image


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.mark.parametrize(
    ("height", "width", "px", "expected"),
    [(96, 48, 64, (64, 32)), (96, 48, 96, (96, 48)), (96, 48, 200, (96, 48)), (64, 640, 64, (13, 128)), (4000, 8, 32, (32, 1))],
)
def test_the_size_is_that_asked_for_and_never_larger_than_the_image(tmp_path: Path, height: int, width: int, px: int, expected: tuple[int, int]) -> None:
    noise_image(tmp_path / "a.png", 1, height, width)
    assert decoded(thumbnail(tmp_path / "a.png", px)).shape[:2] == expected


def test_colours_stay(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 32, 3), (0, 128, 255), np.uint8))  # BGR: orange
    assert np.abs(decoded(thumbnail(tmp_path / "a.png", 32)).astype(int) - (255, 128, 0)).max() < 8


def test_content_stays(tmp_path: Path) -> None:
    noise_image(tmp_path / "a.png", 1)
    grey = read_image(tmp_path / "a.png").mean(2)
    half = grey.reshape(48, 2, 24, 2).mean((1, 3))  # block means are what an area filter gives at half size
    assert np.abs(decoded(thumbnail(tmp_path / "a.png", 96)).mean(2) - grey).mean() < 10
    assert np.abs(decoded(thumbnail(tmp_path / "a.png", 48)).mean(2) - half).mean() < 10


def test_equal_pixels_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.bmp"):
        noise_image(tmp_path / name, 3)
    assert thumbnail(tmp_path / "a.png", 64) == thumbnail(tmp_path / "b.bmp", 64)


def test_the_url_holds_the_thumbnail(tmp_path: Path) -> None:
    noise_image(tmp_path / "a.png", 1)
    start, data = thumbnail_url(tmp_path / "a.png", 64).split(",")
    assert start == "data:image/webp;base64"
    assert base64.b64decode(data) == thumbnail(tmp_path / "a.png", 64)


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a\.jpg: cannot be decoded"):
        thumbnail(tmp_path / "a.jpg", 64)


def test_links_are_relative_to_the_page() -> None:
    assert linked_url(Path("data/a/b.jpg"), Path("results")) == "../data/a/b.jpg"
    assert linked_url(Path("results/synthetic/raw/b.jpg"), Path("results")) == "synthetic/raw/b.jpg"
    assert linked_url(Path("/x/data/b.jpg"), Path("/x/results/deep")) == "../../data/b.jpg"
    assert linked_url(Path("data/a b#1%?.jpg"), Path("data")) == "a%20b%231%25%3F.jpg"
    assert linked_url(Path("data/a:b.jpg"), Path("data")) == "a%3Ab.jpg"


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20).filter(lambda name: name not in (".", "..")))
def test_any_name_leads_back_to_the_file(name: str) -> None:
    url = urljoin("file:///project/results/report.html", linked_url(Path("/project/data") / name, Path("/project/results")))
    assert url.startswith("file:///project/data/")
    assert unquote(url.removeprefix("file:///project/data/")) == name
    assert not set(url) & set("\"'<>#? ")
