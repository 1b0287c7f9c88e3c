"""Settings of companion c1: what fits together, what each rule is handed, and which presets share a folder."""

from typing import Any

import pytest
from pydantic import ValidationError

from qafm.config.par import ParConfig
from qafm.config.run import check_names, load_run_config, merge
from qafm.errors import InputError

RANDOM = {"backbone": {"name": "resnet18", "init": "random"}}


@pytest.mark.parametrize(
    ("setting", "kinds"),
    [("auto", {"market1501", "synthetic"}), ("always", {"market1501", "synthetic", "folders"}), ("never", set())],
)
def test_where_an_unknown_colour_is_a_class(setting: str, kinds: set[str]) -> None:
    par = ParConfig.model_validate({"multi_color": setting})
    assert {kind for kind in ("market1501", "synthetic", "folders") if par.multi(kind)} == kinds
    assert par.train_par("ce", "folders").multi_color is ("folders" in kinds)


def test_from_random_weights_the_reference_trains_as_long_as_both_trainings_of_transfer() -> None:
    for backbone, as_long in ((RANDOM, {"transfer": False, "reference": True}), ({}, {"transfer": False, "reference": False})):
        par = ParConfig.model_validate(backbone)
        assert {arm: par.trains_as_long(arm) for arm in ("transfer", "reference")} == as_long


def test_arms_are_named_by_what_they_start_from() -> None:
    assert ParConfig().start_of("transfer") == "PAR (weighted_ce) from imagenet"
    assert ParConfig.model_validate(RANDOM).start_of("reference") == "random"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": {"init": "extractor"}}, "the extractor was trained on identities that validate here"),
        ({"losses": ["ce"]}, "siamese.par_loss: weighted_ce is not among the losses ce"),
        ({"losses": ["weighted_ce", "weighted_ce"]}, "names a loss twice"),
        ({"siamese": {"name": "par"}}, "siamese.name: must differ from name, par"),
        ({"siamese": {"filters": {"max_different": [3, 1]}}}, "ascending"),
        ({"siamese": {"filters": {"max_different": [-1, 1]}}}, "from 0 on"),
        ({"split": {"train_share": 1.0}}, "less than 1"),
        ({"training": {"stop_on": "val_mAP"}}, "val_macro_f1"),
        ({"name": "a/b"}, "pattern"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ParConfig.model_validate(change)


def test_presets_that_differ_need_names_of_their_own(default: dict[str, Any]) -> None:
    one = load_run_config(default)
    for change, place in (
        ({"training": {"lr": 0.5}}, "results/synthetic/companions/par"),
        ({"siamese": {"dim": 9}}, "results/synthetic/companions/siamese"),
        ({"name": "other", "training": {"lr": 0.5}}, "results/synthetic/companions/siamese"),  # it depends on the PAR network
    ):
        other = load_run_config(merge(default, {"companions": {"par": change}}))
        with pytest.raises(InputError, match=f"config/b.yaml: differs from config/a.yaml but writes to the same {place};"):
            check_names({"a.yaml": one, "b.yaml": other})
    for change in ({"losses": ["weighted_ce", "ce"]}, {"name": "p", "training": {"lr": 0.5}, "siamese": {"name": "s"}}):
        check_names({"a.yaml": one, "b.yaml": load_run_config(merge(default, {"companions": {"par": change}}))})
