"""Which systems are compared, and when two recipes are one."""

from pathlib import Path
from typing import Any

import pytest

from qafm.config.compared import FusedNetwork, PartNetwork
from qafm.config.compared_systems import absent_systems, bpbreid_is_common, common_bpbreid, common_trainings, compared_systems
from qafm.config.run import RunConfig, check_names, load_presets, load_run_config, merge
from qafm.errors import InputError


@pytest.fixture(scope="module")
def presets(project: Path) -> dict[str, RunConfig]:
    return load_presets(project / "config")


def changed(run: RunConfig, **sections: Any) -> RunConfig:
    return load_run_config(merge(run.model_dump(mode="json"), sections))


def rows(run: RunConfig, variants: tuple[Any, ...] = ("masks", "stripes", "learned")) -> list[tuple[str, str]]:
    return [(system.system, recipe) for recipe in ("own", "common") for system in compared_systems(run, variants) if recipe in system.recipes]


SYSTEMS = ["QAFM", "best_fixed", "apn_descriptor", "apan_descriptor", "baseline", "baseline_twins", "siamese", "BigNet", "SliceNet1", "SliceNet2"]
SYSTEMS += ["BPBReID masks", "BPBReID stripes", "BPBReID learned"]


def test_every_system_in_both_recipes(presets: dict[str, RunConfig]) -> None:
    for name in ("config.yaml", "col780.yaml", "market1501.yaml", "market1501-cpu.yaml"):
        run = presets[name]
        assert rows(run) == [(system, recipe) for recipe in ("own", "common") for system in SYSTEMS], name
        keys = [system.key for system in compared_systems(run, run.companions.bpbreid.variants)]
        assert len(set(keys)) == len(keys)
        assert absent_systems(run, {}) == []
    assert absent_systems(run, {"masks": "there are none"}) == [("BPBReID masks", "own", "there are none"), ("BPBReID masks", "common", "there are none")]


def test_a_single_recipe_leaves_the_other_out(presets: dict[str, RunConfig]) -> None:
    own = changed(presets["market1501.yaml"], companions={"comparison": {"recipes": ["own"]}})
    assert rows(own) == [(system, "own") for system in SYSTEMS]
    assert absent_systems(own, {"masks": "none"}) == [("BPBReID masks", "own", "none")]
    common = changed(
        presets["col780-authors.yaml"], companions={"comparison": {"recipes": ["common"], "slicenet": ["slicenet2", "slicenet2_long", "baseline"]}}
    )
    assert [system for system, _ in rows(common)] == [*SYSTEMS[:7], "SliceNet2", "BigNet", *SYSTEMS[10:]]  # a network once


def test_bpbreid_shares_its_training_where_its_recipe_is_the_common_one(presets: dict[str, RunConfig]) -> None:
    run = presets["config.yaml"]
    assert bpbreid_is_common(run) and not bpbreid_is_common(presets["market1501.yaml"])
    (shared,) = [system for system in compared_systems(run, ("masks",)) if system.system == "BPBReID masks"]
    assert set(shared.recipes) == {"own", "common"} and shared.artifact == ("bpbreid", "masks", "retrieval/full-full-binary.json")
    for change in ({"training": {"epochs": 5}}, {"training": {"augment": {"flip": 0.0}}}, {"backbone": {"width": 48}}, {"backbone": {"init": "random"}}):
        assert not bpbreid_is_common(changed(run, companions={"bpbreid": change})), change
    for change in ({"loss": {"attention_weight": 1}}, {"training": {"loss": {"triplet_margin": 0.5}}}, {"parts": {"dim": 64}}):
        assert bpbreid_is_common(changed(run, companions={"bpbreid": change})), change  # architecture and loss are its own
    paper = presets["market1501.yaml"]
    own, common = (system for system in compared_systems(paper, ("stripes",)) if system.system == "BPBReID stripes")
    assert own.start.backbone == "hrnet_w32" and not own.start.extractor and own.artifact[0] == "bpbreid"
    assert common.start.backbone == "resnet50" and common.artifact == ("common-bpbreid", "stripes", "retrieval/full-full-none.json")
    assert "its backbone's last stride is 1" in common.recipes["common"] and "stride" not in own.recipes["own"]  # HRNet has none
    assert isinstance(common.network, PartNetwork)
    assert (common.network.model.backbone, common.network.model.parts) == (common_bpbreid(paper).backbone, common_bpbreid(paper).parts)


def test_a_model_that_is_not_trained_in_stages_is_not_said_to_be(presets: dict[str, RunConfig]) -> None:
    for name, staged in (("market1501.yaml", True), ("market1501-replica.yaml", False)):
        qafm = next(system for system in compared_systems(presets[name], ()) if system.key == "qafm")
        assert all(("trained in stages" in note) == ("frozen" in note) == staged for note in qafm.recipes.values()), name


def test_stripes_that_do_not_fit_the_common_map_are_left_out_in_words(presets: dict[str, RunConfig]) -> None:
    run = presets["tiny.yaml"]
    assert ("BPBReID stripes", "common") not in rows(run, ("masks", "stripes")) and ("BPBReID stripes", "own") in rows(run, ("masks", "stripes"))
    assert ("BPBReID stripes", "common", "not measured: 5 stripes do not fit on the 4 rows of the common backbone's map") in absent_systems(run, {})


def test_strips_that_do_not_divide_the_common_input_or_map_are_left_out_in_words(presets: dict[str, RunConfig]) -> None:
    run = changed(presets["config.yaml"], model={"backbone": {"height": 150}})  # 10 rows of the last map
    assert [system for system, recipe in rows(run) if recipe == "common"][6:8] == ["siamese", "BigNet"]
    assert not {("SliceNet1", "common"), ("SliceNet2", "common")} & set(rows(run))
    assert absent_systems(run, {}) == [
        ("SliceNet1", "common", "not measured: 4 strips do not divide the 150 rows of the common input"),
        ("SliceNet2", "common", "not measured: 4 strips do not divide the 10 rows of the common backbone's map"),
    ]
    coarser = changed(presets["config.yaml"], model={"backbone": {"height": 192, "last_stride": 2}})
    assert [reason for _, _, reason in absent_systems(coarser, {})] == ["not measured: 4 strips do not divide the 6 rows of the common backbone's map"]


def test_the_common_recipe_is_the_baselines(presets: dict[str, RunConfig]) -> None:
    for run in (presets["config.yaml"], presets["market1501.yaml"]):
        for name, trained in common_trainings(run).items():
            assert trained.backbone == run.model.backbone, name
            assert trained.training.model_dump() == run.model.baseline.training.model_dump(exclude={"loss"}), name
        parts = common_bpbreid(run)
        assert parts.training.model_dump(exclude={"loss"}) == run.model.baseline.training.model_dump(exclude={"loss"})
        assert parts.parts == run.companions.bpbreid.parts and parts.loss == run.companions.bpbreid.loss
    wider = changed(presets["config.yaml"], companions={"par": {"siamese": {"margin": 0.7}}})
    heads = {name: trained.head for name, trained in common_trainings(wider).items()}
    assert heads["siamese"].kind == "siamese" and heads["siamese"].margin == 0.7
    assert {name: head.slices for name, head in heads.items() if head.kind == "sliced"} == {"bignet": 1, "slicenet1": 4, "slicenet2": 4}


def test_stages_of_another_recipe_than_the_baselines_are_not_common(presets: dict[str, RunConfig]) -> None:
    run = changed(presets["config.yaml"], model={"fusion": {"batch": {"ids": 4}}, "apn": {"training": {"optimizer": {"lr": 0.1}}}})
    assert [system for system, recipe in rows(run) if recipe == "common"] == SYSTEMS[4:]
    reason = "not measured: its stages have other batch, optimizer than the baseline"
    assert absent_systems(run, {}) == [(system, "common", reason) for system in SYSTEMS[:4]]


def test_without_attributes_there_is_no_par_to_start_from(presets: dict[str, RunConfig]) -> None:
    run = changed(presets["col780.yaml"], dataset={"folders": {"attributes": None}})
    assert ("siamese", "own") not in rows(run) and ("siamese", "common") in rows(run)
    assert absent_systems(run, {}) == [("siamese", "own", "not measured: its own recipe starts from attributes, and the data set has none")]
    assert trained_for_qafm(run) == [("model", "apn"), ("model", "apan"), ("model", "fusion")]
    eq_5_alone = changed(run, model={"apan": {"stage_1": "attributes"}})  # which leaves nothing to learn
    assert trained_for_qafm(eq_5_alone) == [("model", "apn"), ("model", "fusion")]


def test_a_branch_has_its_own_stage_and_the_joint_one_behind_it(presets: dict[str, RunConfig]) -> None:
    def behind(run: RunConfig, key: str) -> list[str]:
        return [training.folder[1] for system in compared_systems(run, ()) if system.key == key for training in system.trainings]

    staged = presets["config.yaml"]
    assert behind(staged, "apn_descriptor") == ["apn", "fusion"] and behind(staged, "apan_descriptor") == ["apan", "fusion"]
    assert behind(staged, "best_fixed") == behind(staged, "qafm") == ["apn", "apan", "fusion"]
    assert behind(presets["market1501-replica.yaml"], "apan_descriptor") == ["fusion"]


def test_what_the_common_recipe_leaves_to_qafm_is_said(presets: dict[str, RunConfig]) -> None:
    systems = compared_systems(presets["config.yaml"], ())
    excepted = [system.key for system in systems if system.recipes.get("common", "").endswith("but for its stages and their epochs")]
    assert excepted == ["qafm", "best_fixed", "apn_descriptor", "apan_descriptor"]
    replica = presets["market1501-replica.yaml"]  # both branches at once, for as many epochs as the baseline
    for run, end in ((replica, "is the common one"), (changed(replica, model={"fusion": {"epochs": 7}}), "but for its epochs")):
        assert compared_systems(run, ())[0].recipes["common"].endswith(end)


def trained_for_qafm(run: RunConfig) -> list[tuple[str, str]]:
    return [training.folder for training in compared_systems(run, ())[0].trainings]


def test_what_stands_behind_qafm(presets: dict[str, RunConfig]) -> None:
    def network(run: RunConfig, key: str) -> FusedNetwork:
        (found,) = [system.network for system in compared_systems(run, ()) if system.key == key]
        assert isinstance(found, FusedNetwork)
        return found

    run = presets["config.yaml"]
    qafm, fixed = network(run, "qafm"), network(run, "best_fixed")
    assert qafm.learned and qafm.q is not None and qafm.q.extractor == run.features.extractor.backbone
    assert not fixed.learned and fixed.q is None
    of_fixed = changed(run, model={"fusion": {"alpha": {"fixed": 0.5}}})
    assert network(of_fixed, "qafm") == fixed and not compared_systems(of_fixed, ())[0].needs_q
    from_file = changed(run, quality={"source": "published", "published": "q.csv"})
    assert network(from_file, "qafm").learned and network(from_file, "qafm").q is None
    system = compared_systems(from_file, ())[0]
    assert not system.needs_q and "Q is read from a file" in system.recipes["own"]
    assert compared_systems(run, ())[0].needs_q and "35 forward passes" in compared_systems(run, ())[0].recipes["own"]
    assert [training.folder[1] for training in compared_systems(run, ())[0].trainings] == ["apn", "apan", "fusion"]


def test_the_siamese_network_has_par_behind_it(presets: dict[str, RunConfig]) -> None:
    own, common = (system for system in compared_systems(presets["config.yaml"], ()) if system.system == "siamese")
    assert own.start.init == "PAR (weighted_ce) from random" and not own.start.extractor and common.start.extractor
    assert [training.folder for training in own.trainings] == [("par", "weighted_ce"), ("siamese", "transfer")]


def test_presets_on_one_model_whose_companions_differ_need_another_name(presets: dict[str, RunConfig]) -> None:
    base = presets["config.yaml"]
    other = {"par": {"name": "p", "siamese": {"name": "s", "margin": 0.9}}}
    with pytest.raises(InputError, match=r"differs from config/a\.yaml but writes to the same results/synthetic/r10/small/common;"):
        check_names({"a.yaml": base, "b.yaml": changed(base, companions=other)})
    check_names({"a.yaml": base, "b.yaml": changed(base, companions=other | {"comparison": {"name": "wider"}})})
    masks = {"bpbreid": {"name": "b", "mask_folder": "other_masks"}}  # BPBReID learns from them under the common recipe, too
    with pytest.raises(InputError, match=r"writes to the same results/synthetic/r10/small/common;"):
        check_names({"a.yaml": base, "b.yaml": changed(base, companions=masks)})


def test_settings_that_nothing_trains_are_refused(presets: dict[str, RunConfig]) -> None:
    base = presets["config.yaml"]
    with pytest.raises(InputError, match=r"companions: comparison\.slicenet: slicenet\.systems\.slicenet1 has no seeds"):
        changed(base, companions={"slicenet": {"systems": {"slicenet1": {"seeds": []}}}})
    with pytest.raises(InputError, match=r"comparison\.recipes: names one twice"):
        changed(base, companions={"comparison": {"recipes": ["own", "own"]}})


def test_the_losses_of_the_baseline_are_no_part_of_the_common_trainings(presets: dict[str, RunConfig]) -> None:
    run = presets["config.yaml"]
    assert common_trainings(changed(run, model={"baseline": {"training": {"loss": {"triplet_margin": 0.7}}}})) == common_trainings(run)
    assert common_trainings(changed(run, model={"baseline": {"training": {"epochs": 3}}})) != common_trainings(run)
