"""Every row of Table 4, and beside it, against descriptors written out here; the orientation of alpha (C1 in docs/method.md)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qafm.config.ablation import AblationConfig
from qafm.errors import InputError
from qafm.evaluation.evaluate_alpha import evaluate_alpha
from qafm.evaluation.experiments import Trial, measure
from qafm.evaluation.fuse import ExportedHead, concat
from qafm.evaluation.load_embeddings import Side, load_embeddings
from qafm.evaluation.ranking import Labels, dot_similarity, evaluate_retrieval

CONFIG = AblationConfig(alphas=(0.2, 0.5), grid=5)


def artifact(run: Any, experiment: str, *, same_camera: str = "drop", config: AblationConfig = CONFIG) -> dict[str, Any]:
    out = run.head.parent / f"{experiment}.json"
    evaluate_alpha(experiment, run.images, run.embeddings, run.head, same_camera=same_camera, config=config, out=out)  # type: ignore[arg-type]
    return json.loads(out.read_text())


def mean_ap(found: dict[str, Any], gallery: str = "standard") -> float:
    return found["galleries"][gallery]["metrics"]["mAP"]


def expected_at(run: Any, query_weight: Any, gallery_weight: Any) -> dict[str, float]:
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    query, gallery = head.fused(loaded.query.v_a, loaded.query.v_s, query_weight), head.fused(loaded.gallery.v_a, loaded.gallery.v_s, gallery_weight)
    return evaluate_retrieval(loaded.query.labels, loaded.gallery.labels, dot_similarity(query, gallery)).summary()


def test_the_artifact_holds_what_the_tables_need(small_run):
    run = small_run()
    found = artifact(run, "qafm")
    loaded = load_embeddings(run.images, run.embeddings)
    summary = expected_at(run, loaded.query.weight, loaded.gallery.weight)
    standard = found["galleries"]["standard"]
    assert standard["metrics"] == pytest.approx({name: summary[name] for name in ("rank1", "rank5", "rank10", "mAP", "mAP_trapezoid", "mINP")}, abs=1e-5)
    assert (standard["n_queries"], standard["n_excluded"], standard["excluded"]) == (6, 1, ["query/0077_c1"])
    assert standard["visual_weight"] == pytest.approx(loaded.query.weight.mean(), abs=1e-6)
    assert standard["visual_weight_sd"] == pytest.approx(loaded.query.weight.std(), abs=1e-6)
    assert standard["queries"]["pid"] == [1, 2, 3, 4, 5, 6] and standard["queries"]["image_id"][0] == "query/0001_c1"
    assert 100 * np.mean(standard["queries"]["ap"]) == pytest.approx(standard["metrics"]["mAP"], abs=1e-3)
    assert 100 * np.mean(np.array(standard["queries"]["first_rank"]) == 1) == pytest.approx(standard["metrics"]["rank1"])
    assert artifact(run, "shuffled")["galleries"]["standard"]["queries"]["first_rank"] is None  # an average of retrievals
    assert mean_ap(found, "no_distractors") > mean_ap(found)


def test_no_gallery_without_distractors_where_there_are_none(small_run):
    assert list(artifact(small_run(distractors=False), "qafm")["galleries"]) == ["standard"]


@pytest.mark.parametrize(
    ("experiment", "visual_weight"), [("apn_only_alpha_0", 1.0), ("apan_only_alpha_1", 0.0), ("fixed_alpha_0.2", 0.8), ("fixed_alpha_0.5", 0.5)]
)
def test_a_fixed_row_is_one_weight_for_all(small_run, experiment: str, visual_weight: float):
    run = small_run()
    standard = artifact(run, experiment)["galleries"]["standard"]
    assert standard["metrics"]["mAP"] == pytest.approx(expected_at(run, visual_weight, visual_weight)["mAP"], abs=1e-5)
    assert (standard["visual_weight"], standard["visual_weight_sd"]) == (visual_weight, 0.0)


def test_alpha_0_is_apn_and_swapping_the_orientation_swaps_the_rows(small_run):
    run, swapped = small_run(), small_run(swapped=True)
    apn, apan = (artifact(run, name)["galleries"] for name in ("apn_only_alpha_0", "apan_only_alpha_1"))
    assert apn["standard"]["metrics"]["mAP"] > apan["standard"]["metrics"]["mAP"] + 10  # in this run APN is the branch that knows
    turned_apn, turned_apan = (artifact(swapped, name)["galleries"] for name in ("apn_only_alpha_0", "apan_only_alpha_1"))
    for gallery in ("standard", "no_distractors"):
        assert turned_apn[gallery]["metrics"] == apan[gallery]["metrics"] and turned_apan[gallery]["metrics"] == apn[gallery]["metrics"]
    assert mean_ap(artifact(swapped, "qafm")) == pytest.approx(mean_ap(artifact(run, "qafm")), abs=1e-4)
    assert mean_ap(artifact(swapped, "fixed_alpha_0.2")) == pytest.approx(mean_ap(artifact(run, "fixed_alpha_0.8")), abs=1e-4)


def test_single_descriptors_and_concat_use_no_fusion_fc(small_run):
    run = small_run()
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    query, gallery = loaded.query, loaded.gallery
    pairs = {
        "apn_descriptor": (head.apn_descriptor(query.v_a), head.apn_descriptor(gallery.v_a)),
        "apan_descriptor": (head.apan_descriptor(query.v_s), head.apan_descriptor(gallery.v_s)),
        "concat_0.5": (concat(query.v_a, query.v_s, 0.5), concat(gallery.v_a, gallery.v_s, 0.5)),
        "concat_qafm": (concat(query.v_a, query.v_s, query.weight), concat(gallery.v_a, gallery.v_s, gallery.weight)),
    }
    for name, (own, other) in pairs.items():
        found = artifact(run, name)
        expected = evaluate_retrieval(query.labels, gallery.labels, dot_similarity(own, other)).summary()["mAP"]
        assert mean_ap(found) == pytest.approx(expected, abs=1e-5), name
        assert (found["galleries"]["standard"]["visual_weight"] is None) == name.endswith("descriptor")


def test_best_fixed_is_chosen_on_held_out_identities_only(small_run):
    run = small_run()
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    held = loaded.holdout
    scores = []
    for w in np.linspace(0, 1, 5):
        vectors = head.fused(held.v_a, held.v_s, w)
        scores.append(evaluate_retrieval(held.labels, held.labels, dot_similarity(vectors, vectors)).summary()["mAP"])
    found = artifact(run, "best_fixed")
    chosen = found["galleries"]["standard"]["visual_weight"]
    assert scores[int(chosen * 4)] == max(scores) and "4 held-out identities" in found["note"]
    assert mean_ap(found) == pytest.approx(expected_at(run, chosen, chosen)["mAP"], abs=1e-5)


def test_best_fixed_follows_the_run_s_rule_on_cameras():
    """Per person three images of camera 1, alike to APN, and one of camera 2, which only APAN takes for the first of them: who drops a camera needs APAN."""
    people = 6
    v_a, v_s = np.zeros((4 * people, people), np.float32), np.zeros((4 * people, 3 * people), np.float32)
    for person in range(people):
        for image in range(4):
            v_a[4 * person + image, (person + (image == 3)) % people] = 1  # in camera 2 everybody looks like the next one
            v_s[4 * person + image, 3 * person + image % 3] = 1
    names = np.array([f"{i:02d}" for i in range(4 * people)])
    labels = Labels(np.repeat(np.arange(1, people + 1, dtype=np.int32), 4), np.tile(np.array([1, 1, 1, 2], np.int16), people), names, names)
    side = Side(labels, np.zeros(len(names), bool), np.full(len(names), 0.5), v_a, v_s)
    dims = v_a.shape[1], v_s.shape[1]
    units = [value for dim in (sum(dims), *dims) for value in (np.ones(dim, np.float32), np.zeros(dim, np.float32))]
    head = ExportedHead(np.eye(sum(dims), dtype=np.float32), *units)
    chosen = {}
    for same_camera in ("drop", "keep"):
        scores = []
        for w in np.linspace(0, 1, 5):
            vectors = head.fused(v_a, v_s, w)
            scores.append(evaluate_retrieval(labels, labels, dot_similarity(vectors, vectors), same_camera=same_camera).summary()["mAP"])  # type: ignore[arg-type]
        weight = measure("best_fixed", Trial(head, side, side, side, same_camera, CONFIG)).weight  # type: ignore[arg-type]
        assert weight is not None
        chosen[same_camera] = float(weight[0])
        assert scores[round(4 * chosen[same_camera])] == max(scores)
    assert chosen == {"drop": 0.0, "keep": 0.25}


def test_best_fixed_without_held_out_identities_says_why(small_run):
    found = artifact(small_run(holdout=False), "best_fixed")
    assert found["galleries"] == {} and "no held-out identities" in found["note"]


def test_oracles_are_ceilings_and_say_so(small_run):
    run = small_run()
    fixed = [expected_at(run, w, w)["mAP"] for w in np.linspace(0, 1, 5)]
    best, per_query = artifact(run, "best_fixed_test"), artifact(run, "oracle_query")
    assert mean_ap(best) == pytest.approx(max(fixed), abs=1e-5)
    assert fixed[round(best["galleries"]["standard"]["visual_weight"] * 4)] == pytest.approx(max(fixed))
    assert mean_ap(per_query) >= mean_ap(best)
    assert best["note"].startswith("oracle") and per_query["note"].startswith("oracle")


def test_oracle_takes_the_best_ap_of_each_query(small_run):
    run = small_run()
    at = []
    for alpha in (0.25, 0.5, 0.75):
        at.append(artifact(run, f"fixed_alpha_{alpha:g}", config=AblationConfig(alphas=(alpha,)))["galleries"]["standard"]["queries"]["ap"])
    at += [artifact(run, name)["galleries"]["standard"]["queries"]["ap"] for name in ("apn_only_alpha_0", "apan_only_alpha_1")]
    assert artifact(run, "oracle_query")["galleries"]["standard"]["queries"]["ap"] == np.max(at, axis=0).tolist()


def test_shuffled_averages_permutations_of_the_weights(small_run):
    run = small_run()
    loaded = load_embeddings(run.images, run.embeddings)
    summaries = []
    for k in range(3):
        rng = np.random.default_rng([7, k])
        summaries.append(expected_at(run, rng.permutation(loaded.query.weight), rng.permutation(loaded.gallery.weight)))
    found = artifact(run, "shuffled", config=AblationConfig(permutations=3, seed=7))
    assert mean_ap(found) == pytest.approx(np.mean([summary["mAP"] for summary in summaries]), abs=1e-5)
    assert found["galleries"]["standard"]["metrics"]["rank1"] == pytest.approx(np.mean([summary["rank1"] for summary in summaries]), abs=1e-5)
    assert found["galleries"]["standard"]["visual_weight"] == pytest.approx(loaded.query.weight.mean(), abs=1e-6)


@pytest.mark.parametrize("activation", ["none", "relu"])
def test_scopes_equal_fusing_the_gallery_per_query(small_run, activation: str):
    run = small_run(activation=activation)
    loaded, head = load_embeddings(run.images, run.embeddings), ExportedHead.load(run.head)
    query, gallery = loaded.query, loaded.gallery

    def logit(w: Any) -> Any:
        return np.log(w / (1 - w))

    of_query, of_pair = np.zeros((2, len(query), len(gallery)))
    pair_means = []
    for i in range(len(query)):
        w_pair = 1 / (1 + np.exp(-(logit(query.weight[i]) + logit(gallery.weight)) / 2))
        pair_means.append(w_pair.mean())
        own_a, own_s = query.v_a[[i]], query.v_s[[i]]
        of_query[i] = head.fused(gallery.v_a, gallery.v_s, query.weight[i]) @ head.fused(own_a, own_s, query.weight[i])[0]
        for j, w in enumerate(w_pair):
            of_pair[i, j] = head.fused(gallery.v_a[[j]], gallery.v_s[[j]], w)[0] @ head.fused(own_a, own_s, w)[0]
    for name, scores in (("scope_query", of_query), ("scope_pair", of_pair)):
        expected = evaluate_retrieval(query.labels, gallery.labels, lambda queries, scores=scores: scores[queries]).summary()["mAP"]
        assert mean_ap(artifact(run, name)) == pytest.approx(expected, abs=1e-5)
    assert artifact(run, "scope_pair")["galleries"]["standard"]["visual_weight"] == pytest.approx(np.mean(pair_means), abs=1e-5)


def test_mspa_needs_a_model_trained_at_half(small_run):
    run = small_run(weight=0.5)
    assert mean_ap(artifact(run, "mspa_0.5")) == pytest.approx(expected_at(run, 0.5, 0.5)["mAP"], abs=1e-5)
    with pytest.raises(InputError, match=r"embeddings\.parquet: mspa_0\.5: .* 0\.5"):
        artifact(small_run(), "mspa_0.5")


def test_ranks_and_same_camera_reach_the_metrics(small_run):
    run = small_run()
    found = artifact(run, "apan_only_alpha_1", config=AblationConfig(ranks=(2, 3)))
    assert list(found["galleries"]["standard"]["metrics"])[-2:] == ["rank2", "rank3"]
    keep = artifact(run, "apan_only_alpha_1", same_camera="keep")
    assert keep["same_camera"] == "keep" and mean_ap(keep) != mean_ap(found)
    assert mean_ap(artifact(small_run(cameras=False), "apan_only_alpha_1", same_camera="keep")) == mean_ap(keep)


def test_same_input_same_bytes(small_run):
    run = small_run()
    made = []
    for name in ("a.json", "b.json"):
        evaluate_alpha("shuffled", run.images, run.embeddings, run.head, same_camera="drop", config=CONFIG, out=run.head.parent / name)
        made.append((run.head.parent / name).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("experiment", ["nothing", "fixed_alpha_1.5", "fixed_alpha_x"])
def test_unknown_rows_are_refused(small_run, experiment: str, tmp_path: Path):
    run = small_run()
    with pytest.raises(InputError, match=experiment):
        evaluate_alpha(experiment, run.images, run.embeddings, run.head, same_camera="drop", config=CONFIG, out=tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_every_announced_row_is_known(small_run):
    run = small_run()
    for name in (*CONFIG.paper_experiments(), *CONFIG.extra_experiments()):
        assert artifact(run, name)["experiment"] == name
