"""Rows after re-ranking: the same galleries, protocol and artifact as before it; only the distance is another."""

import json
from pathlib import Path
from typing import Any

import pytest

from qafm.config.ablation import AblationConfig
from qafm.config.rerank import RerankConfig
from qafm.errors import InputError
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.evaluation.fuse import ExportedHead, concat
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.evaluation.ranking import evaluate_retrieval
from qafm.evaluation.rerank import reciprocal_similarity
from qafm.evaluation.rerank_gallery import rerank_gallery

CONFIG = RerankConfig(k1=4, k2=2, lambda_=0.4)
RANKS = (1, 5, 10)


def reranked(run: Any, experiment: str, *, same_camera: str = "drop", ranks: tuple[int, ...] = RANKS, config: RerankConfig = CONFIG) -> dict[str, Any]:
    out = run.head.parent / f"{experiment}-reranked.json"
    rerank_gallery(experiment, run.images, run.embeddings, run.head, same_camera=same_camera, ranks=ranks, config=config, out=out)  # type: ignore[arg-type]
    return json.loads(out.read_text())


def before(run: Any, experiment: str) -> dict[str, Any]:
    out = run.head.parent / f"{experiment}.json"
    evaluate_alpha(experiment, run.images, run.embeddings, run.head, same_camera="drop", config=AblationConfig(), out=out)
    return json.loads(out.read_text())


ROWS = pytest.mark.parametrize("experiment", ["qafm", "apn_descriptor", "apan_descriptor", "concat_0.5"])


@ROWS
def test_a_row_is_its_descriptors_re_ranked_in_each_gallery_alone(small_run, experiment: str):
    run = small_run()
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    vectors = {
        "qafm": lambda side: head.fused(side.v_a, side.v_s, side.weight),
        "apn_descriptor": lambda side: head.apn_descriptor(side.v_a),
        "apan_descriptor": lambda side: head.apan_descriptor(side.v_s),
        "concat_0.5": lambda side: concat(side.v_a, side.v_s, 0.5),
    }[experiment]
    found = reranked(run, experiment)
    for name, gallery in (("standard", loaded.gallery), ("no_distractors", loaded.gallery.take(~loaded.gallery.distractor))):
        similarity = reciprocal_similarity(vectors(loaded.query), vectors(gallery), CONFIG)
        expected = evaluate_retrieval(loaded.query.labels, gallery.labels, similarity).summary()
        assert found["galleries"][name]["metrics"]["mAP"] == pytest.approx(expected["mAP"], abs=1e-5)
    assert found["note"] == "re-ranked: k1 4, k2 2, lambda 0.4"


@ROWS
def test_the_original_distance_alone_gives_the_artifact_of_evaluate_alpha(small_run, experiment: str):
    run = small_run()
    plain, found = before(run, experiment), reranked(run, experiment, config=RerankConfig(lambda_=1.0))
    assert found.pop("note") != plain.pop("note")
    assert found == plain
    again = reranked(run, experiment)
    assert again["galleries"]["standard"]["queries"] != plain["galleries"]["standard"]["queries"]


def test_ranks_and_same_camera_reach_the_metrics(small_run):
    run = small_run()
    found, keep = reranked(run, "apan_descriptor", ranks=(2, 3)), reranked(run, "apan_descriptor", same_camera="keep")
    assert [name for name in found["galleries"]["standard"]["metrics"] if name.startswith("rank")] == ["rank2", "rank3"]
    assert keep["same_camera"] == "keep"
    assert keep["galleries"]["standard"]["metrics"]["mAP"] != found["galleries"]["standard"]["metrics"]["mAP"]


def test_same_input_same_bytes(small_run):
    run = small_run()
    reranked(run, "qafm")
    first = (run.head.parent / "qafm-reranked.json").read_bytes()
    reranked(run, "qafm")
    assert (run.head.parent / "qafm-reranked.json").read_bytes() == first


def test_rows_without_one_descriptor_per_image_are_refused(small_run, tmp_path: Path):
    run = small_run()
    with pytest.raises(InputError, match=r"^experiment: 'scope_pair' is not re-ranked, qafm, apn_descriptor, apan_descriptor, concat_0\.5 are$"):
        reranked(run, "scope_pair")
    assert not (run.head.parent / "scope_pair-reranked.json").exists()
    with pytest.raises(InputError, match=r"none\.safetensors: is no fusion head"):
        rerank_gallery("qafm", run.images, run.embeddings, tmp_path / "none.safetensors", same_camera="drop", ranks=RANKS, config=CONFIG, out=tmp_path / "x")
