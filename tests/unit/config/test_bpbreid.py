"""What the settings of BPBReID refuse, and what its stages are given."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from qafm.companions.bpbreid.part_fields import GROUPINGS
from qafm.config.bpbreid import PARTS, BpbreidConfig, PartBackboneConfig, PartModelConfig, PartsConfig, TrainBpbreidConfig
from qafm.config.run import check_names, load_presets
from qafm.errors import InputError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": {"name": "hrnet_w32", "init": "random", "height": 100, "width": 64}}, "divisible by 32, not 100 x 64"),
        ({"backbone": {"channels": 8}}, "Input should be greater than or equal to 16"),
        ({"backbone": {"name": "hrnet_w32", "init": "extractor"}}, "hrnet_w32 cannot start from the extractor"),
        ({"backbone": {"height": 64}, "parts": {"stripes": 5}}, "5 stripes do not fit on the 4 rows"),
        ({"variants": ["masks", "masks"]}, "one is named twice"),
        ({"variants": ["none"]}, "Input should be"),
        ({"parts": {"pooling": "max"}}, "Input should be"),
        ({"name": "a/b"}, "should match pattern"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BpbreidConfig.model_validate(settings)


def test_hrnet_has_a_map_for_many_stripes() -> None:
    config = BpbreidConfig.model_validate({"backbone": {"name": "hrnet_w32", "init": "random", "height": 64}, "parts": {"stripes": 16}})
    assert config.backbone.map_rows == 16 and PartBackboneConfig(height=100).map_rows == 7


def test_number_of_parts() -> None:
    assert {name: len(parts) for name, parts in GROUPINGS.items()} == PARTS
    config = PartModelConfig(parts=PartsConfig(grouping="eight", stripes=6))
    assert [config.num_parts(variant) for variant in ("masks", "learned", "stripes", "stripe_labels")] == [8, 8, 6, 6]


def test_a_stage_is_given_its_own_part_alone() -> None:
    config = BpbreidConfig(name="x", ranks=2)
    training = config.training_slice()
    assert type(training) is TrainBpbreidConfig and type(training.model_slice()) is PartModelConfig
    assert set(training.model_slice().model_dump()) == {"backbone", "parts"}
    assert set(config.training_slice().model_dump()) == {"backbone", "parts", "loss", "training"}


def test_presets_that_differ_here_need_another_name(project: Path) -> None:
    presets = load_presets(project / "config")
    check_names(presets)
    base = presets["config.yaml"]
    changed = base.companions.bpbreid.model_copy(update={"foreground": False})
    with pytest.raises(InputError, match=r"differs from config/config\.yaml but writes to the same results/synthetic/companions/bpbreid/small"):
        check_names({**presets, "other.yaml": base.model_copy(update={"companions": base.companions.model_copy(update={"bpbreid": changed})})})
    renamed = changed.model_copy(update={"name": "other"})
    check_names({**presets, "other.yaml": base.model_copy(update={"companions": base.companions.model_copy(update={"bpbreid": renamed})})})
