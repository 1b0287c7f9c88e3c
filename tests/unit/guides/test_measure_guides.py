"""A planted guide is found, chance is not; every AP is that of the search; the queries have no say in the rules."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from qafm.evaluation.fuse import ExportedHead, concat
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.evaluation.ranking import dot_similarity, evaluate_retrieval
from qafm.guides.guided_weight import nearest_on, places
from qafm.guides.known_of_query import picture_guides
from qafm.guides.measure_guides import READS, cross_fitted
from qafm.tables.parquet import read_parquet, write_parquet
from tests.unit.guides.planted_run import GRID, PlantedRun


def test_a_planted_guide_is_found(content: dict[str, Any]) -> None:
    guides, fixed = content["guides"], np.mean(content["queries"]["fixed"])
    gain = {name: np.mean(guide["ap"]) - fixed for name, guide in guides.items()}
    assert gain["brightness"] > 0.05 and guides["brightness"]["slope"] > 0 and guides["brightness"]["weight_sd"] > 0.1
    assert gain["own_lead"] >= gain["brightness"] - 0.02 and gain["combined"] > 0.5 * gain["brightness"]
    for chance in ("q", "random"):
        assert abs(gain[chance]) < 0.3 * gain["brightness"]
    assert {"q", "q_blur", "brightness", "apn_norm", "nearest", "combined"} <= set(guides) <= set(READS)
    assert not {"visual_weight", "q_light"} & set(guides)  # the same for all, unknown


def test_every_ap_is_that_of_the_search_at_the_querys_own_weight(planted: PlantedRun, content: dict[str, Any]) -> None:
    loaded, head = load_embeddings(planted.images, planted.embeddings), ExportedHead.load(planted.head)
    grid = np.linspace(0, 1, GRID)

    def ap_of(weights: np.ndarray) -> list[float]:
        own = []
        for i, w in enumerate(weights):
            query, gallery = (concat(head.apn_descriptor(s.v_a), head.apan_descriptor(s.v_s), w) for s in (loaded.query, loaded.gallery))
            own.append(evaluate_retrieval(loaded.query.labels, loaded.gallery.labels, dot_similarity(query, gallery)).ap[i])
        return own

    guide = content["guides"]["brightness"]
    values = picture_guides(planted.images, loaded.query.labels.image_id)["brightness"]
    assert guide["place"] == pytest.approx(places(values), abs=1e-6)
    weights = grid[nearest_on(grid, np.clip(guide["base"] + guide["slope"] * places(values), 0, 1))]
    assert guide["ap"] == pytest.approx(ap_of(weights), abs=1e-5)
    assert guide["weight_sd"] == pytest.approx(weights.std(), abs=1e-6)
    assert content["queries"]["lead"] == pytest.approx(np.subtract(ap_of(np.ones(60)), ap_of(np.zeros(60))), abs=1e-5)


def test_anybodys_measure_is_a_guide_like_the_others(planted: PlantedRun, content: dict[str, Any], tmp_path: Path) -> None:
    """The pictures' brightness as a file."""
    loaded = load_embeddings(planted.images, planted.embeddings)
    assert loaded.holdout is not None
    names = [str(name) for side in (loaded.query, loaded.holdout) for name in side.labels.image_id]
    values = picture_guides(planted.images, names)["brightness"]
    (tmp_path / "own.csv").write_text("file,q\n" + "".join(f"{Path(name).name},{value}\n" for name, value in zip(names, values, strict=True)))
    found = planted.measure(tmp_path / "g.json", compare=tmp_path / "own.csv")["guides"]
    assert found["compared"] == found["brightness"] == content["guides"]["brightness"] and "compared" not in content["guides"]


def test_the_queries_have_no_say_in_the_rules(planted: PlantedRun, content: dict[str, Any], tmp_path: Path) -> None:
    """With the queries' vectors exchanged between people, rules and fixed weight stay."""
    table = read_parquet(planted.embeddings)
    is_query = np.array(table["split"].to_pylist()) == "query"
    rows = np.arange(len(table))
    rows[is_query] = np.roll(rows[is_query], 1)
    moved = {name: table[name].take(rows) if name.startswith("v_") else table[name] for name in table.schema.names}
    write_parquet(tmp_path / "e.parquet", pa.Table.from_arrays(list(moved.values()), schema=table.schema))
    other = PlantedRun(planted.images, tmp_path / "e.parquet", planted.head, planted.quality).measure(tmp_path / "g.json")
    rules = [{name: (guide["base"], guide["slope"]) for name, guide in of["guides"].items()} for of in (content, other)]
    assert rules[0] == rules[1] and np.mean(other["queries"]["fixed"]) < np.mean(content["queries"]["fixed"])


def test_nobody_has_a_say_in_what_is_predicted_of_him() -> None:
    rng = np.random.default_rng(7)
    known, pid = rng.normal(size=(40, 3)), np.repeat(np.arange(8), 5)
    lead = known @ [0.5, -0.2, 0.0] + 0.1
    assert cross_fitted(known, lead, pid, seed=1) == pytest.approx(lead)  # least squares with a constant
    for identity in range(8):
        mine = pid == identity
        changed = cross_fitted(known, np.where(mine, -lead, lead), pid, seed=1)
        assert changed[mine] == pytest.approx(lead[mine])
        assert not np.allclose(changed[~mine], lead[~mine])
    assert np.isnan(cross_fitted(known[:5], lead[:5], pid[:5], seed=1)).all()  # nobody else


def test_the_combined_rule_is_chosen_on_cross_fitted_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: PlantedRun) -> None:
    monkeypatch.setattr("qafm.guides.measure_guides.cross_fitted", lambda _known, lead, _pid, _seed: -lead)
    found = planted.measure(tmp_path / "g.json")
    assert found["guides"]["combined"]["slope"] < 0 < found["guides"]["own_lead"]["slope"]


def test_where_nothing_is_known_there_is_nothing_to_combine(planted: PlantedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("quality", "picture", "network", "search"):
        monkeypatch.setattr(f"qafm.guides.measure_guides.{name}_guides", lambda *_: {})
    assert set(planted.measure(tmp_path / "g.json")["guides"]) == {"random", "own_lead"}
