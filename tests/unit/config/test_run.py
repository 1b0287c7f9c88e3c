"""The configuration is checked before anything runs: unknown keys, wrong values, sections that do not fit together."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from qafm.config.ablation import AblationConfig
from qafm.config.branches import ATTRIBUTE_ORDER, ApanConfig
from qafm.config.quality import QualityConfig
from qafm.config.run import RunConfig, check_names, load_presets, load_run_config, load_run_files, merge
from qafm.config.synthetic import SyntheticConfig
from qafm.errors import InputError


def test_every_preset_is_valid_and_writes_to_places_of_its_own(project: Path) -> None:
    presets = load_presets(project / "config")
    assert {"config.yaml", "tiny.yaml", "col780.yaml"} <= set(presets)
    check_names(presets)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"fusion": {"alpa": 1}}}, "config: model.fusion.alpa: no such key; did you mean alpha?"),
        ({"features": {"extractor": {"training": {"epochs": 0}}}}, "config: features.extractor.training.epochs: Input should be greater than or equal to 1"),
        ({"seeds": [1, 1]}, "config: seeds: a seed appears twice"),
        ({"dataset": {"holdout_ids": 0}}, "config: model.fusion.alpha.target: holdout needs dataset.holdout_ids of at least 2"),
        (
            {"dataset": {"holdout_ids": 1}, "model": {"fusion": {"alpha": {"loss": "fused_id"}}}},
            "alpha.start: best_fixed needs dataset.holdout_ids of at least 2",
        ),
        ({"model": {"fusion": {"freeze_epochs": 60, "epochs": 60}}}, "model.fusion.freeze_epochs: the weight learns after them, and 60 epochs leave none"),
        ({"features": {"extractor": {"backbone": {"init": "extractor"}}}}, "the extractor cannot start from itself"),
        ({"model": {"backbone": {"name": "resnet50"}}}, "init extractor needs the extractor's architecture (resnet10), not resnet50"),
        ({"model": {"backbone": {"ibn": True}}}, "init extractor needs the extractor's architecture (resnet10), not resnet10 with ibn"),
        ({"features": {"extractor": {"backbone": {"ibn": True, "init": "imagenet"}}}}, "there are no ImageNet weights for resnet10 with ibn"),
        ({"model": {"backbone": {"channels": 16}}}, "needs the extractor's architecture (resnet10), not resnet10 from 16 channels"),
        (
            {"features": {"extractor": {"backbone": {"channels": 8}}}},
            "config: features.extractor.backbone.channels: Input should be greater than or equal to 16",
        ),
        ({"seeds": [-1]}, "config: seeds.0: Input should be greater than or equal to 0"),
        ({"dataset": {"name": ".."}}, "config: dataset.name: String should match pattern"),
        ({"features": {"name": "companions"}}, "config: features.name: companions is the name of a folder that the workflow makes itself"),
        ({"companions": {"comparison": {"name": "seed-1"}}}, "config: companions.comparison.name: seed-1 is the name of a folder"),
        ({"model": {"apn": {"architecture": {"lam_grid": [0, 2]}}}}, "config: model.apn.architecture.lam_grid.0: Input should be greater than or equal to 1"),
        ({"model": {"apan": {"architecture": {"group_order": ["gender"]}}}}, "config: model.apan.architecture.group_order: must name each of gender, "),
        ({"dataset": {"kind": "folders"}}, "section folders is absent"),
        ({"figures": {"style": {"width_in": 1.2}}}, "config: figures.style.width_in: Input should be greater than or equal to 2"),
        ({"ablation": {"ranks": [5, 10]}}, "config: ablation.ranks: must begin with 1, since report and bundles show Rank-1"),
        (
            {"dataset": {"kind": "folders", "folders": {"root": "x", "camera_pattern": r"(?P<frame>\d+)"}}},
            "config: dataset.same_camera: drop needs cameras; give dataset.folders.camera_pattern with a group camera, or choose keep",
        ),
    ],
)
def test_bad_configuration_is_one_line(default: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        load_run_config(merge(default, change))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_file_that_is_wrong_is_named(default: dict[str, Any], tmp_path: Path) -> None:
    changes = {"one.yaml": {"model": {"fusion": {"epochs": 0}}}, "other.yaml": {"model": {"fusion": {"freeze_epochs": 0}}, "seed": 3}}
    for name, change in changes.items():
        (tmp_path / name).write_text(yaml.safe_dump(change))
    files = [tmp_path / name for name in changes]
    for name, message in (("one.yaml", "model.fusion.epochs: Input should be greater"), ("other.yaml", "seed: no such key; did you mean seeds?")):
        with pytest.raises(InputError, match=rf"{name}: {re.escape(message)}"):
            load_run_config(merge(default, changes[name]), files)
    with pytest.raises(InputError, match=r"^config: seeds: a seed appears twice"):
        load_run_config(merge(default, {"seeds": [1, 1]}), files)


@pytest.mark.parametrize(
    "fusion",
    [
        {"alpha": {"fixed": 0.5}},
        {"alpha": {"start": "half", "target": "train"}},
        {"alpha": {"start": "half", "loss": "fused_id"}},
        {"alpha": {"start": "half"}, "gradients": "original"},
    ],
)
def test_without_held_out_identities_a_weight_that_needs_none_is_accepted(default: dict[str, Any], fusion: dict[str, Any]) -> None:
    config = load_run_config(merge(default, {"dataset": {"holdout_ids": 0}, "model": {"fusion": fusion}}))
    assert not config.model.fusion.needs_holdout


@pytest.mark.parametrize("order", [ATTRIBUTE_ORDER[:11], (*ATTRIBUTE_ORDER[:11], "gender"), (*ATTRIBUTE_ORDER, "shoes")])
def test_an_order_of_the_attribute_groups_names_each_once(order: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match=r"must name each of gender, .*, down_color once"):
        ApanConfig(group_order=order)


@pytest.mark.parametrize(("source", "init", "needed"), [("compute", "random", True), ("published", "extractor", True), ("published", "random", False)])
def test_the_extractor_is_trained_where_something_is_made_with_it(default: dict[str, Any], source: str, init: str, needed: bool) -> None:
    quality = {"source": source, "published": "q.csv" if source == "published" else None}
    assert load_run_config(merge(default, {"quality": quality, "model": {"backbone": {"init": init}}})).extractor_is_needed is needed


def test_missing_section_is_named(default: dict[str, Any]) -> None:
    del default["quality"]
    with pytest.raises(InputError, match="config: quality: Field required"):
        load_run_config(default)


def test_presets_that_differ_but_share_a_name_are_refused(default: dict[str, Any]) -> None:
    one = load_run_config(default)
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"dataset": {"holdout_ids": 9}}, "results/synthetic"),
        ({"dataset": {"same_camera": "keep"}}, "results/synthetic"),
        ({"dataset": {"shards": 9}}, "results/synthetic"),
        ({"dataset": {"synthetic": {"seed": 9}}}, "results/synthetic"),
        ({"perturb": {"inset": 0.05}}, "results/synthetic"),
        ({"features": {"extractor": {"seed": 9}}}, "results/synthetic/r10"),
        ({"quality": {"normalize": "none"}}, "results/synthetic/r10"),
        ({"runtime": {"precision": "bf16"}}, "results/synthetic/r10"),
        ({"runtime": {"threads": 3}}, "results/synthetic/r10"),
        ({"model": {"fusion": {"epochs": 3}}}, "results/synthetic/r10/small"),
        ({"ablation": {"alphas": [0.5]}}, "results/synthetic/r10/small"),
        ({"degradations": {"queries": 3}}, "results/synthetic/r10/small"),
        ({"rerank": {"k1": 3}}, "results/synthetic/r10/small"),
        ({"calibration": {"identities": 30}}, "results/synthetic/r10/small"),
        ({"bundle": {"dtype": "float16"}}, "results/synthetic/r10/small"),
        ({"companions": {"slicenet": {"lr": 0.5}}}, "results/synthetic/companions/slicenet/small"),
    )
    for change, place in changes:
        other = load_run_config(merge(default, change))
        with pytest.raises(InputError, match=f"config/b.yaml: differs from config/a.yaml but writes to the same {place};"):
            check_names({"a.yaml": one, "b.yaml": other})
    free = {"seeds": [1, 2], "figures": {"style": {"bins": 20}}, "controls": {"repeats": 3}, "report": {"ranks": 3}}
    check_names({"a.yaml": one, "b.yaml": load_run_config(merge(default, free))})
    assert {*free, *(section for change, _ in changes for section in change)} == set(RunConfig.model_fields), "a section that is neither refused nor free"


def test_rivals_decide_which_rows_there_are_and_none_of_them(default: dict[str, Any]) -> None:
    one, other = (load_run_config(merge(default, {"ablation": {"rivals": rivals}})) for rivals in ([], ["baseline_twins", "mspa_0.5"]))
    check_names({"a.yaml": one, "b.yaml": other})
    assert other.ablation.rivals == ("mspa_0.5", "baseline_twins")  # in the table's order
    assert (one.ablation.trained_for_rivals(), other.ablation.trained_for_rivals()) == (set(), {"mspa", "baseline-a", "baseline-b"})
    assert load_run_config(merge(default, {"ablation": {"rivals": ["baseline"]}})).ablation.trained_for_rivals() == {"baseline-a"}
    for wrong, reason in ((["baseline", "baseline"], "names a row twice"), (["mspa"], "ablation.rivals.0: Input should be 'mspa_0.5', 'baseline' or")):
        with pytest.raises(InputError, match=reason):
            load_run_config(merge(default, {"ablation": {"rivals": wrong}}))


def test_results_lie_in_folders_of_three_levels_and_a_seed(default: dict[str, Any]) -> None:
    config = load_run_config(merge(default, {"features": {"name": "f"}, "model": {"name": "m"}}))
    assert config.folders() == (Path("results/synthetic"), Path("results/synthetic/f"), Path("results/synthetic/f/m"))
    assert [str(config.seed_folder(seed)) for seed in (3, "{seed}")] == ["results/synthetic/f/m/seed-3", "results/synthetic/f/m/seed-{seed}"]


def test_values_to_compare_q_with_are_no_setting_of_q(default: dict[str, Any]) -> None:
    one, other = (load_run_config(merge(default, {"quality": {"compare": path}})) for path in (None, "data/other.csv"))
    check_names({"a.yaml": one, "b.yaml": other})
    assert other.quality.compare == "data/other.csv"
    assert one.quality.score_slice() == other.quality.score_slice()
    raw = load_run_config(merge(default, {"quality": {"normalize": "none", "mode": "reference"}})).quality.score_slice()
    assert raw == QualityConfig(normalize="none", mode="reference")


def test_published_numbers_stand_beside_the_whole_of_market1501_alone(default: dict[str, Any]) -> None:
    whole = {"dataset": {"name": "m", "kind": "market1501", "holdout_ids": 5, "market1501": {"root": "r", "attributes": "a.mat"}}}
    assert load_run_config(merge(default, whole)).table_run()["market1501"] is True
    part = merge(whole, {"dataset": {"market1501": {"subset": {"train_ids": 40, "test_ids": 20, "distractors": 0, "seed": 1}}}})
    assert load_run_config(merge(default, part)).table_run()["market1501"] is False
    tested_elsewhere = merge(whole, {"dataset": {"test": {"kind": "folders", "folders": {"root": "r", "query": "q", "gallery": "g"}}}})
    elsewhere = load_run_config(merge(default, merge(tested_elsewhere, {"dataset": {"same_camera": "keep"}})))
    assert elsewhere.table_run()["market1501"] is load_run_config(default).table_run()["market1501"] is False


def test_a_row_reads_the_settings_that_decide_it() -> None:
    config = AblationConfig(ranks=(1, 3), grid=7, permutations=9, seed=4, alphas=(0.5,), bootstrap_samples=10)
    assert config.read_by("shuffled") == AblationConfig(ranks=(1, 3), permutations=9, seed=4)
    assert config.read_by("best_fixed") == config.read_by("oracle_query") == AblationConfig(ranks=(1, 3), grid=7)
    assert config.read_by("fixed_alpha_0.5") == config.read_by("qafm") == AblationConfig(ranks=(1, 3))


def test_broken_preset_file_is_named(tmp_path: Path, default: dict[str, Any]) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(default))
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(InputError, match=r"bad\.yaml: cannot be read as YAML"):
        load_presets(tmp_path)
    for text in ("- 1", ""):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(InputError, match=r"bad\.yaml: holds no mapping"):
            load_presets(tmp_path)
    (tmp_path / "bad.yaml").write_bytes(b"a: \xff")
    with pytest.raises(InputError, match=r"bad\.yaml: cannot be read as YAML"):
        load_presets(tmp_path)
    (tmp_path / "bad.yaml").write_text("seeds: [1, 1]")
    with pytest.raises(InputError, match=r"bad\.yaml: seeds: a seed appears twice$"):
        load_presets(tmp_path)


def test_a_default_file_that_is_wrong_is_named_and_no_preset(tmp_path: Path, default: dict[str, Any]) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(merge(default, {"model": {"fusion": {"epochs": 0}}})))
    (tmp_path / "a.yaml").write_text("seeds: [1, 2]")
    with pytest.raises(InputError, match=r"config\.yaml: model\.fusion\.epochs: Input should be greater"):
        load_presets(tmp_path)


def test_files_are_laid_over_each_other(tmp_path: Path, default: dict[str, Any]) -> None:
    files = [tmp_path / name for name in ("config.yaml", "one.yaml", "two.yaml")]
    changes = ({"seeds": [2, 3], "features": {"name": "mine"}}, {"seeds": [4]})
    for path, content in zip(files, (default, *changes), strict=True):
        path.write_text(yaml.safe_dump(content))
    assert load_run_files(files) == load_run_config(merge(merge(default, changes[0]), changes[1]))
    files[1].write_text("model: {fusion: {epochs: 0}}")
    with pytest.raises(InputError, match=r"one\.yaml: model\.fusion\.epochs: Input should be greater"):
        load_run_files(files)
    files[1].write_text("dataset: {holdout_ids: 0}")
    with pytest.raises(InputError, match=r"two\.yaml: model\.fusion\.alpha\.target: holdout needs"):  # what is wrong stands in no single file
        load_run_files(files)
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read as YAML"):
        load_run_files([files[0], tmp_path / "none.yaml"])


def test_every_setting_is_spelled_out_in_the_default_file(default: dict[str, Any]) -> None:
    """A user finds every key in config.yaml, except those of other kinds of data sets and finer knobs of the generator."""
    missing = _missing(default, load_run_config(default).model_dump(), "")
    assert {key for key in missing if not key.startswith(("dataset.synthetic.", "dataset.market1501", "dataset.folders"))} == ABSENT


ABSENT = {"model.apn.architecture.decoder_kernel", "model.apn.architecture.decoder_last_linear", "model.apan.architecture.group_order"}


def _missing(written: Any, full: Any, path: str) -> set[str]:
    if not isinstance(full, dict):
        return set()
    found = set()
    for key, value in full.items():
        name = f"{path}.{key}".lstrip(".")
        found |= _missing(written[key], value, name) if isinstance(written, dict) and key in written else {name}
    return found


def test_config_is_frozen(default: dict[str, Any]) -> None:
    config: RunConfig = load_run_config(default)
    with pytest.raises(ValueError, match="frozen"):
        config.seeds = (3,)


def test_the_generator_is_the_default_run_s_without_being_told(default: dict[str, Any]) -> None:
    assert load_run_config(default).dataset.synthetic == SyntheticConfig()
