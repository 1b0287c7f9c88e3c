"""Searching a gallery and comparing two images: what is refused before anything is computed, and what comes out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.errors import InputError
from qafm.galleries.append_gallery import append_gallery
from qafm.galleries.exclusions import Exclusions
from qafm.inference.model import ReidModel
from qafm.inference.results import Embedded
from qafm.tables.gallery import GalleryRows
from tests.made_up_run import pictures


def test_a_match_is_a_distance_with_the_odds_of_the_calibration(model: ReidModel) -> None:
    a, b = pictures(2)
    unit = model.embed([a, b]).descriptor
    found = model.match(a, b)
    assert found.distance == pytest.approx(float(np.sqrt(2 - 2 * unit[0] @ unit[1])), abs=1e-5)
    assert model.calibration is not None
    assert (found.probability, found.false_match_rate, found.prior) == tuple(model.calibration.at(found.distance))
    assert model.match(a, b, prior=0.01).prior == 0.01
    assert model.match(a, a).distance < 1e-6
    of_a = model.embed(a)
    assert model.match(of_a, b).distance == pytest.approx(found.distance, abs=1e-6) == model.match(a, model.embed(b)).distance
    assert model.match(of_a, of_a).distance == 0
    with pytest.raises(InputError, match=r"^match: an Embedded of 2 images, expected one$"):
        model.match(a, model.embed([a, b], quality=False))
    with pytest.raises(InputError, match=r"^image 1: is a list"):
        model.match(of_a, [])  # pyright: ignore[reportArgumentType]


def test_a_match_is_between_descriptors_of_one_kind(model: ReidModel, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pictures(2)
    with_q, (of_a, of_b) = model.embed(a), (model.embed(one, quality=False) for one in (a, b))
    with pytest.raises(InputError, match=r"^match: one Embedded was made with Q, the other without; make both alike$"):
        model.match(with_q, of_b)
    monkeypatch.setattr(model.quality, "scores", None)  # an image beside what was made without Q gets none, too
    assert model.match(of_a, b).distance == pytest.approx(model.match(of_a, of_b).distance, abs=1e-6) == model.match(a, of_b).distance
    monkeypatch.setattr(model, "quality", None)  # a model without Q has one kind only
    assert model.match(with_q, of_b).distance > 0


@pytest.mark.parametrize("prior", [0, 1, 7, -0.5, float("nan")])
@pytest.mark.parametrize("calibrated", [True, False])
def test_a_prior_that_is_none_is_refused_first(model: ReidModel, prior: float, calibrated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not calibrated:
        monkeypatch.setitem(model.__dict__, "calibration", None)
    with pytest.raises(InputError, match=rf"^prior: {prior} does not lie between 0 and 1$"):
        model.match("missing.jpg", "missing.jpg", prior=prior)


def gallery_of(found: Embedded, path: Path, model_id: str, model: ReidModel) -> Path:
    count = len(found)
    rows = GalleryRows([f"{i}.png" for i in range(count)], [f"{i:064d}" for i in range(count)], found.descriptor, q=found.q, visual_weight=found.visual_weight)
    append_gallery(path, [rows], model_id=model_id, model="its name", dim=model.dim)
    return path


def test_a_search_finds_the_image_itself_first(model: ReidModel, tmp_path: Path) -> None:
    shown = pictures(4)
    found, fast = model.embed(shown), model.embed(shown, quality=False)
    gallery = gallery_of(found, tmp_path / "g.parquet", model.gallery_id(), model)
    of_fast = gallery_of(fast, tmp_path / "fast.parquet", model.gallery_id(quality=False), model)
    hits = model.search(shown[1:3], gallery, top=2, batch=1, progress=False)
    assert hits.image_id[:, 0].tolist() == ["1.png", "2.png"] and hits.distance[:, 0].max() < 1e-3
    assert model.search(shown[1], of_fast, top=1, quality=False).image_id[0, 0] == "1.png"
    np.testing.assert_array_equal(model.search(found, str(gallery)).row[:, 0], range(4))
    np.testing.assert_array_equal(model.search(fast, of_fast).row[:, 0], range(4))
    for embedded, other, how in ((found, of_fast, "without"), (fast, gallery, "with")):
        with pytest.raises(InputError, match=rf"{other.name}: was made {how} Q; what is to be compared or added has to be, too \(quality=\.\.\.\)$"):
            model.search(embedded, other)


def test_a_search_shows_ten_or_all_of_a_smaller_gallery(model: ReidModel, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(12, model.dim))
    many = Embedded((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), np.ones(12), np.full(12, 0.5))
    few = Embedded(many.descriptor[:3], many.q[:3], many.visual_weight[:3])
    for found, top in ((many, 10), (few, 3)):
        hits = model.search(found, gallery_of(found, tmp_path / f"{top}.parquet", model.gallery_id(), model))
        assert hits.row.shape == (len(found), top)


def test_a_search_that_cannot_be_made_is_refused_before_an_image_is_looked_at(model: ReidModel, tmp_path: Path) -> None:
    found = Embedded(np.eye(3, model.dim, dtype=np.float32), np.ones(3), np.full(3, 0.5))
    gallery = gallery_of(found, tmp_path / "g.parquet", model.gallery_id(), model)
    other = gallery_of(found, tmp_path / "other.parquet", "0" * 64, model)
    refused: list[tuple[Path, dict[str, Any], str]] = [
        (tmp_path / "none.parquet", {}, "none.parquet: cannot be opened"),
        (other, {}, "other.parquet: was made by the model its name"),
        (gallery, {"quality": False}, "g.parquet: was made with Q; "),
        (gallery, {"top": 4}, "g.parquet: top 4 of a gallery of 3 images"),
        (gallery, {"top": 0}, "g.parquet: top 0 of a gallery of 3 images"),
        (gallery, {"approximate": "maybe"}, "approximate: 'maybe' is none of auto, never, always"),
        (gallery, {"approximate": "always"}, "g.parquet: has no index"),
        (gallery, {"exclude": Exclusions(camid=[1, 2])}, "search: camid of the queries has 2 values for 1 queries"),
        (gallery, {"batch": 0}, "batch: is 0"),
    ]
    for path, options, message in refused:
        with pytest.raises(InputError, match=message):
            model.search("missing.jpg", path, **options)
