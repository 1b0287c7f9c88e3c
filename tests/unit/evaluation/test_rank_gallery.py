"""ranking.parquet against a slow search that sorts the whole gallery, query by query."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.evaluation.rank_gallery import rank_gallery
from qafm.evaluation.ranking import dot_similarity, evaluate_retrieval
from qafm.tables.parquet import read_parquet
from qafm.tables.ranking import RANKING_SCHEMA


def ranking(run: Any, tmp_path: Path, *, same_camera: str = "drop", depth: int = 4) -> list[dict[str, Any]]:
    out = tmp_path / "ranking.parquet"
    rank_gallery(run.images, run.embeddings, run.head, same_camera=same_camera, depth=depth, out=out)  # type: ignore[arg-type]
    return read_parquet(out, RANKING_SCHEMA).to_pylist()


@pytest.mark.parametrize("same_camera", ["drop", "keep"])
@pytest.mark.parametrize("depth", [1, 3, 100])
def test_ranks_equal_a_full_sort(small_run: Any, tmp_path: Path, same_camera: str, depth: int) -> None:
    run = small_run()
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    query, gallery = loaded.query, loaded.gallery
    table = read_parquet(run.embeddings, columns=["image_id", "q"])
    q = dict(zip(table["image_id"].to_pylist(), table["q"].to_pylist(), strict=True))
    of_query, of_gallery = (head.fused(side.v_a, side.v_s, side.weight).astype(np.float64) for side in (query, gallery))
    for i, row in enumerate(ranking(run, tmp_path, same_camera=same_camera, depth=depth)):
        assert row["image_id"] == query.labels.image_id[i] and row["pid"] == query.labels.pid[i]
        kept = []
        for g in range(len(gallery)):
            own = gallery.labels.pid[g] == query.labels.pid[i]
            if not (same_camera == "drop" and own and gallery.labels.camid[g] == query.labels.camid[i]):
                kept.append((np.linalg.norm(of_query[i] - of_gallery[g]), g))
        kept.sort()
        assert row["gallery_id"] == [gallery.labels.image_id[g] for _, g in kept[:depth]]
        assert row["gallery_pid"] == [gallery.labels.pid[g] for _, g in kept[:depth]]
        assert row["gallery_camid"] == [gallery.labels.camid[g] for _, g in kept[:depth]]
        assert row["right"] == [bool(gallery.labels.pid[g] == query.labels.pid[i]) for _, g in kept[:depth]]
        assert row["distance"] == pytest.approx([distance for distance, _ in kept[:depth]], abs=1e-3)
        assert row["gallery_weight"] == [gallery.weight[g] for _, g in kept[:depth]]
        assert row["gallery_q"] == [q[gallery.labels.image_id[g]] for _, g in kept[:depth]]
        assert (row["visual_weight"], row["q"], row["camid"]) == (query.weight[i], q[row["image_id"]], query.labels.camid[i])
        assert row["n_relevant"] == sum(gallery.labels.pid[g] == query.labels.pid[i] for _, g in kept)


def test_ap_and_first_rank_are_those_of_the_metrics(small_run: Any, tmp_path: Path) -> None:
    run = small_run()
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    sides = [head.fused(side.v_a, side.v_s, side.weight) for side in (loaded.query, loaded.gallery)]
    found = evaluate_retrieval(loaded.query.labels, loaded.gallery.labels, dot_similarity(*sides))
    rows = ranking(run, tmp_path)
    excluded = [row for row in rows if row["n_relevant"] == 0]
    assert [row["image_id"] for row in excluded] == found.excluded and len(excluded) == 1
    assert all(row["ap"] is None and row["first_rank"] is None and len(row["gallery_id"]) == 4 for row in excluded)
    assert [row["ap"] for row in rows if row["n_relevant"]] == found.ap[found.valid].tolist()
    assert [row["first_rank"] for row in rows if row["n_relevant"]] == found.first_rank[found.valid].tolist()
