"""Retrieval by parts: protocols, galleries, and the first ranks, against the pieces they are made of."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qafm.companions.bpbreid.evaluate_parts import evaluate_parts
from qafm.companions.bpbreid.load_parts import load_parts
from qafm.companions.bpbreid.part_distance import part_similarity
from qafm.companions.bpbreid.part_tables import PART_RANKING_SCHEMA, embeddings_table
from qafm.companions.bpbreid.rank_parts import rank_parts
from qafm.errors import InputError
from qafm.evaluation.ranking import evaluate_retrieval
from qafm.runtime.code_digest import import_closure
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet, write_parquet

RNG = np.random.default_rng(11)
E, D = 4, 3


def embedded(images: Path, path: Path, splits: tuple[str, ...] = ("query", "gallery"), *, embeddings: int = E, dim: int = D) -> Path:
    chosen = [row for row in read_parquet(images).to_pylist() if row["split"] in splits]
    chosen = [chosen[i] for i in RNG.permutation(len(chosen))]
    shape = (len(chosen), embeddings)
    table = embeddings_table(
        [row["image_id"] for row in chosen],
        [row["split"] for row in chosen],
        3 * RNG.normal(size=(*shape, dim)).astype(np.float32),
        RNG.random(shape) < 0.7,
        RNG.random(shape).astype(np.float32),
    )
    write_parquet(path, table)
    return path


@pytest.fixture
def views(images: Path) -> dict:
    folder = images.parent / "views"
    sides = {"full": ("query", "gallery"), "lower": ("query", "gallery"), "upper": ("query",), "occluded": ("query",)}
    return {view: embedded(images, folder / f"{view}.parquet", splits) for view, splits in sides.items()}


@pytest.mark.parametrize("visibility", ["none", "binary", "continuous"])
@pytest.mark.parametrize("foreground", [True, False])
@pytest.mark.parametrize("same_camera", ["drop", "keep"])
def test_every_protocol_takes_its_queries_and_its_gallery(images: Path, views: dict, visibility, foreground: bool, same_camera) -> None:
    outs = {(query, gallery): images.parent / f"{query}-{gallery}.json" for query, gallery in (("full", "full"), ("upper", "full"), ("upper", "lower"))}
    evaluate_parts(images, views, visibility, foreground=foreground, same_camera=same_camera, ranks=(1, 3), outs=outs)
    for (query_view, gallery_view), path in outs.items():
        content = json.loads(path.read_text())
        assert content["experiment"] == f"{query_view}-{gallery_view}-{visibility}" and content["same_camera"] == same_camera
        query, gallery = load_parts(images, views[query_view], views[gallery_view], foreground=foreground)
        assert query.vectors.shape == (E if foreground else E - 1, 4, D) and len(gallery) == 5
        for name, side in (("standard", gallery), ("no_distractors", gallery.take(~gallery.distractor))):
            expected = evaluate_retrieval(query.labels, side.labels, part_similarity(query, side, visibility), same_camera=same_camera).summary((1, 3))
            found = content["galleries"][name]["metrics"]
            assert set(found) == {"rank1", "rank3", "mAP", "mAP_trapezoid", "mINP"}
            assert found["mAP"] == pytest.approx(expected["mAP"], abs=1e-5) and found["rank3"] == pytest.approx(expected["rank3"], abs=1e-5)


@pytest.mark.parametrize(("same_camera", "mean_ap", "rank1"), [("keep", (11 / 12, 1), (1, 1)), ("drop", (3 / 4, 1), (1 / 2, 1))])
def test_images_of_the_querys_own_camera_are_right_or_left_out(images: Path, tmp_path: Path, same_camera, mean_ap: tuple, rank1: tuple) -> None:
    """Every embedding is a direction in a plane, the same for query and gallery image of one identity and camera; the distractor lies between both of 6.

    With the own camera's image the two queries of 6 have precisions 1 and 2/3, without it 1/2; those of 7 are always right.
    """
    degrees = {(6, 1): 0, (6, 2): 60, (7, 1): 180, (7, 2): 240, (0, 1): 30}
    rows = [row for row in read_parquet(images).to_pylist() if row["split"] != "train" and not row["junk"]]
    angles = np.radians([degrees[row["pid"], row["camid"]] for row in rows])
    vectors = np.repeat(np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None], E, axis=1).astype(np.float32)  # [N, E, 2]
    ones = np.ones((len(rows), E))
    table = embeddings_table([row["image_id"] for row in rows], [row["split"] for row in rows], vectors, ones > 0, ones.astype(np.float32))
    write_parquet(tmp_path / "views.parquet", table)
    outs = {("full", "full"): tmp_path / "a.json"}
    evaluate_parts(images, {"full": tmp_path / "views.parquet"}, "binary", foreground=True, same_camera=same_camera, ranks=(1,), outs=outs)
    content = json.loads((tmp_path / "a.json").read_text())
    found = [content["galleries"][name]["metrics"] for name in ("standard", "no_distractors")]
    assert content["same_camera"] == same_camera
    assert [metrics["mAP"] for metrics in found] == pytest.approx([100 * value for value in mean_ap])
    assert [metrics["rank1"] for metrics in found] == pytest.approx([100 * value for value in rank1])


def test_a_gallery_smaller_than_the_rank_asked_for(images: Path, views: dict) -> None:
    out = images.parent / "a.json"
    evaluate_parts(images, views, "binary", foreground=True, same_camera="keep", ranks=(1, 50), outs={("full", "full"): out})
    metrics = json.loads(out.read_text())["galleries"]["standard"]["metrics"]
    assert metrics["rank50"] == 100.0 and metrics["rank1"] < 100


def test_bad_embeddings_are_named(images: Path, views: dict, tmp_path: Path) -> None:
    outs = {("full", "full"): tmp_path / "a.json"}

    def run(changed: dict) -> None:
        evaluate_parts(images, views | changed, "binary", foreground=True, same_camera="keep", ranks=(1,), outs=outs)

    with pytest.raises(InputError, match=r"q\.parquet: no gallery image in it"):
        run({"full": embedded(images, tmp_path / "q.parquet", ("query",))})
    evaluated = {("upper", "full"): tmp_path / "a.json"}
    fewer = embedded(images, tmp_path / "few.parquet", ("query",), embeddings=E - 1)
    with pytest.raises(InputError, match=r"full\.parquet: holds other embeddings than .*few\.parquet"):
        evaluate_parts(images, views | {"upper": fewer}, "binary", foreground=True, same_camera="keep", ranks=(1,), outs=evaluated)
    write_parquet(tmp_path / "w.parquet", read_parquet(views["full"]).drop_columns(["confidence"]))
    with pytest.raises(InputError, match=r"w\.parquet: columns are .* expected"):
        run({"full": tmp_path / "w.parquet"})
    write_parquet(tmp_path / "v.parquet", read_parquet(views["full"]).drop_columns(["vectors"]))
    with pytest.raises(InputError, match=r"v\.parquet: has no column vectors"):
        run({"full": tmp_path / "v.parquet"})
    table = read_parquet(views["full"])
    visible = pa.FixedSizeListArray.from_arrays(pa.array(np.ones((E + 1) * len(table), np.uint8)), E + 1)
    write_parquet(tmp_path / "u.parquet", table.set_column(table.schema.get_field_index("visible"), "visible", visible))
    with pytest.raises(InputError, match=rf"u\.parquet: column vectors holds {E * D} numbers per image, which are no {E + 1} embeddings of one length$"):
        run({"full": tmp_path / "u.parquet"})
    assert not (tmp_path / "a.json").exists()


def test_queries_without_a_match_are_named_with_the_file(images: Path, views: dict, tmp_path: Path) -> None:
    rows = read_parquet(images).to_pylist()
    write_parquet(images, pa.Table.from_pylist([row | {"pid": row["pid"] + 100 * (row["split"] == "gallery")} for row in rows], IMAGES_SCHEMA))
    with pytest.raises(InputError, match=r"full\.parquet: retrieval: none of the 4 queries has a valid match"):
        evaluate_parts(images, views, "binary", foreground=True, same_camera="keep", ranks=(1,), outs={("full", "full"): tmp_path / "a.json"})


@pytest.mark.parametrize("foreground", [True, False])
def test_first_ranks_with_the_distance_of_every_part(images: Path, views: dict, foreground: bool) -> None:
    out = images.parent / "ranking.parquet"
    rank_parts(images, views["full"], foreground=foreground, same_camera="drop", depth=3, out=out)
    query, gallery = load_parts(images, views["full"], views["full"], foreground=foreground)
    distances = -part_similarity(query, gallery, "binary")(slice(0, 4))
    for i, row in enumerate(read_parquet(out, PART_RANKING_SCHEMA).to_pylist()):
        own = (gallery.labels.pid == query.labels.pid[i]) & (gallery.labels.camid == query.labels.camid[i])
        order = [j for j in np.argsort(distances[i], kind="stable") if not own[j]][:3]
        assert row["image_id"] == query.labels.image_id[i] and row["gallery_id"] == gallery.labels.image_id[order].tolist()
        np.testing.assert_allclose(row["distance"], distances[i, order], atol=1e-6)
        assert row["right"] == (gallery.labels.pid[order] == query.labels.pid[i]).tolist()
        for apart, j in zip(row["part_distance"], order, strict=True):
            np.testing.assert_allclose(apart, [np.linalg.norm(query.vectors[e, i] - gallery.vectors[e, j]) for e in range(len(query.vectors))], atol=1e-3)


def test_the_gallery_may_hold_fewer_than_the_depth(images: Path, views: dict) -> None:
    rank_parts(images, views["full"], foreground=True, same_camera="keep", depth=10, out=images.parent / "r.parquet")
    assert {len(row["gallery_id"]) for row in read_parquet(images.parent / "r.parquet").to_pylist()} == {5}


def test_the_ranking_does_not_depend_on_the_stage_that_ranks_by_descriptors() -> None:
    assert "qafm.evaluation.rank_gallery" not in import_closure("qafm.companions.bpbreid.rank_parts")
