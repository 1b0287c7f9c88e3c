"""reranked.csv from artifacts that both rules wrote, against their numbers."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.config.ablation import AblationConfig
from qafm.config.rerank import RerankConfig
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import as_percent
from qafm.evaluation.bootstrap import identity_interval
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.evaluation.rerank_gallery import rerank_gallery
from qafm.evaluation.tabulate_reranked import tabulate_reranked
from qafm.tables.table4 import Run

RUN = Run("toy", "full", "small", "random")
CONFIG = AblationConfig(bootstrap_samples=200, seed=3)
ROWS = ("qafm", "apan_descriptor")
Sides = tuple[list[tuple[int, str, Path]], list[tuple[int, str, Path]]]


@pytest.fixture
def sides(small_run, tmp_path: Path) -> Callable[..., Sides]:
    """Makes the artifacts of ROWS before and after re-ranking."""

    def make(seeds: tuple[int, ...] = (1,), ranks: tuple[int, ...] = (1, 5)) -> Sides:
        before, after = [], []
        for seed in seeds:
            run = small_run(seed=seed)
            files = run.images, run.embeddings, run.head
            for row in ROWS:
                before.append((seed, row, tmp_path / f"{row}-{seed}.json"))
                after.append((seed, row, tmp_path / f"{row}-{seed}-reranked.json"))
                evaluate_alpha(row, *files, same_camera="drop", config=AblationConfig(ranks=ranks), out=before[-1][2])
                rerank_gallery(row, *files, same_camera="drop", ranks=ranks, config=RerankConfig(k1=4, k2=2), out=after[-1][2])
        return before, after

    return make


def content(rows: list[tuple[int, str, Path]], experiment: str, gallery: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text())["galleries"][gallery] for _, name, path in rows if name == experiment]


def table(folder: Path, before: Any, after: Any, config: AblationConfig = CONFIG) -> list[dict[str, str]]:
    tabulate_reranked(before, after, RUN, config, folder / "reranked.csv")
    with (folder / "reranked.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
def test_numbers_before_and_after_and_the_gain(sides, seeds: tuple[int, ...], tmp_path: Path):
    before, after = sides(seeds)
    rows = table(tmp_path, before, after)
    assert [(row["experiment"], row["gallery"]) for row in rows] == [(e, g) for g in ("standard", "no_distractors") for e in ("QAFM", "apan_descriptor")]
    for row in rows:
        experiment = "qafm" if row["experiment"] == "QAFM" else row["experiment"]
        plain, found = content(before, experiment, row["gallery"]), content(after, experiment, row["gallery"])
        for metric in ("rank1", "mAP", "mINP"):
            assert row[metric] == as_percent(np.mean([seed["metrics"][metric] for seed in plain]))
            assert row[f"{metric}_reranked"] == as_percent(np.mean([seed["metrics"][metric] for seed in found]))
            if len(seeds) > 1:
                assert row[f"{metric}_reranked_sd"] == as_percent(np.std([seed["metrics"][metric] for seed in found], ddof=1))
        gain = np.mean([seed["queries"]["ap"] for seed in found], axis=0) - np.mean([seed["queries"]["ap"] for seed in plain], axis=0)
        low, high = identity_interval(100 * gain, np.array(plain[0]["queries"]["pid"]), samples=200, seed=3)
        assert (row["mAP_gain"], row["mAP_gain_low"], row["mAP_gain_high"]) == (as_percent(100 * gain.mean()), as_percent(low), as_percent(high))
        assert (row["n_queries"], row["n_seeds"], row["note"]) == ("6", str(len(seeds)), "re-ranked: k1 4, k2 2, lambda 0.3")
    assert any(row["mAP_gain"] != "0.00" for row in rows)


def test_columns(sides, tmp_path: Path):
    start = ["experiment", "dataset", "features", "model", "init", "gallery"]
    end = ["mAP_gain", "mAP_gain_low", "mAP_gain_high", "n_queries", "n_seeds", "note"]
    names = ["rank1", "mAP", "mINP"]
    assert list(table(tmp_path, *sides())[0]) == [*start, *names, *(f"{name}_reranked" for name in names), *end]
    several = [*(column for name in names for column in (name, f"{name}_sd"))]
    several += [column for name in names for column in (f"{name}_reranked", f"{name}_reranked_sd")]
    assert list(table(tmp_path, *sides((1, 2)))[0]) == [*start, *several, *end]
    assert "rank2_reranked" in table(tmp_path, *sides(ranks=(2, 5)))[0]  # the lowest rank there is


def test_settings_reach_the_intervals(sides, tmp_path: Path):
    before, after = sides()
    found = {tuple(row["mAP_gain_low"] for row in table(tmp_path, before, after, AblationConfig(bootstrap_samples=n, seed=s))) for n, s in ((5, 1), (5, 2))}
    assert len(found) == 2


def test_sides_that_do_not_belong_together_are_refused(sides, tmp_path: Path):
    before, after = sides()
    with pytest.raises(InputError, match=r"^table: the rows before and after re-ranking are of different experiments or seeds$"):
        table(tmp_path, before, after[:1])
    path = after[0][2]
    whole = json.loads(path.read_text())
    path.write_text(json.dumps(whole | {"galleries": {"standard": whole["galleries"]["standard"]}}))
    with pytest.raises(InputError, match=r"^table: the rows before and after re-ranking are of different galleries$"):
        table(tmp_path, before, after)
    with pytest.raises(InputError, match=r"^table: the rows before and after re-ranking are of different galleries$"):
        table(tmp_path, after, before)
    whole["galleries"]["standard"]["queries"]["image_id"][0] = "another"
    path.write_text(json.dumps(whole))
    with pytest.raises(InputError, match=r"^table: mAP_gain of qafm, gallery standard: the two rows were measured on different queries$"):
        table(tmp_path, before, after)
    path.write_text("{}")
    with pytest.raises(InputError, match=r"qafm-1-reranked\.json: is no artifact"):
        table(tmp_path, before, after)
    assert not (tmp_path / "reranked.csv").exists()
