"""What is known of a query: its search against a loop, Q and files looked up, norms."""

from pathlib import Path

import numpy as np
import pytest

from qafm.errors import InputError
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.guides.known_of_query import BY_QUALITY, file_guides, network_guides, quality_guides, search_guides
from tests.unit.evaluation.random_sides import other_view, side
from tests.unit.guides.planted_run import PlantedRun, write_quality

NAN = float("nan")


@pytest.mark.parametrize("same_camera", ["drop", "keep"])
def test_what_the_searches_tell_against_a_loop(same_camera: str) -> None:
    rng = np.random.default_rng(4)
    query = side(rng, [1, 2, 3], [1, 2, 1], 6, ["a", "b", "c"])
    gallery = side(rng, [1, 1, 2, 3, 0, 0], [1, 2, 2, 3, 1, 3], 6, ["d", "e", "b", "f", "g", "h"])  # b: the query itself
    query_2, gallery_2 = other_view(rng, query, 4), other_view(rng, gallery, 4)
    found = search_guides((query, query_2), (gallery, gallery_2), same_camera)  # type: ignore[arg-type]
    for i in range(3):
        nearest, area = [], []
        for one, other in ((query, gallery), (query_2, gallery_2)):
            hidden = [
                name == query.labels.image_id[i] or (same_camera == "drop" and c == query.labels.camid[i])
                for name, c in zip(gallery.labels.image_id, gallery.labels.camid, strict=True)
            ]
            scores = [float(one.descriptor[i] @ vector) for vector, h in zip(other.descriptor, hidden, strict=True) if not h]
            curve = sorted(((s - min(scores)) / (max(scores) - min(scores)) for s in scores), reverse=True)
            nearest.append(max(scores))
            area.append(sum(curve) / len(curve))
        assert found["nearest"][i] == pytest.approx(nearest[0] - nearest[1], abs=1e-6)
        assert found["score_curve"][i] == pytest.approx(np.log(area[1] / area[0]), abs=1e-5)


def test_a_search_that_sees_nothing_tells_nothing() -> None:
    rng = np.random.default_rng(1)
    query, gallery = side(rng, [1, 2], [1, 2], 3), side(rng, [1, 2], [1, 1], 3)
    found = search_guides((query, query), (gallery, gallery), "drop")
    assert np.isnan(found["nearest"]).tolist() == [True, False]
    assert np.isnan(found["score_curve"]).tolist() == [True, False]
    with pytest.raises(InputError, match="same_camera: 'no' is neither drop nor keep"):
        search_guides((query, query), (gallery, gallery), "no")  # type: ignore[arg-type]


def test_q_is_looked_up_and_may_be_unknown(tmp_path: Path) -> None:
    found = quality_guides(write_quality(tmp_path / "q.parquet", {"a": 1.5, "b": 2.0}), ["b", "x", "a"])
    assert list(found) == list(BY_QUALITY)
    assert found["q"] == pytest.approx([2.0, NAN, 1.5], nan_ok=True) and found["q_blur"] == pytest.approx([-2.0, NAN, -1.5], nan_ok=True)
    assert np.isnan(found["q_light"]).all()


def test_a_measure_that_lacks_an_image_is_unknown_there(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("file,q\na.jpg,2.5\n")
    assert file_guides(tmp_path / "own.csv", ["query/b.jpg", "query/a.jpg"])["compared"] == pytest.approx([NAN, 2.5], nan_ok=True)
    assert file_guides(None, ["query/a.jpg"]) == {}


def test_the_learned_weight_and_norms(planted: PlantedRun) -> None:
    loaded = load_embeddings(planted.images, planted.embeddings)
    found = network_guides(loaded.query)
    assert found["visual_weight"] == pytest.approx(loaded.query.weight)
    assert found["apn_norm"] == pytest.approx(np.sqrt((loaded.query.v_a**2).sum(axis=1)), rel=1e-5)
    assert found["apan_norm"] == pytest.approx(np.sqrt((loaded.query.v_s**2).sum(axis=1)), rel=1e-5)
