import json
from pathlib import Path

import pytest

from qafm.errors import InputError
from qafm.figures.model_description import ModelDescription, network_name, read_description


def block(parameters: int, calls: int = 1, output: list[int] | None = None) -> dict:
    return {"kind": "Linear", "parameters": parameters, "calls": calls, "input": [3], "output": output or [2]}


CONTENT = {
    "blocks": {"a.neck.norm": block(5), "a.neck.classifier": block(7, calls=0), "a.necklace": block(100, output=[4, 2, 1])},
    "parameters": {},
    "attribute_groups": {},
    "input": {},
    "num_ids": 3,
    "config": {},
}


def test_a_module_is_all_its_blocks_and_no_other() -> None:
    model = ModelDescription(CONTENT)
    assert model.parameters("a.neck") == 12 and model.parameters("a.neck.norm", "a.necklace") == 105 and model.parameters("b") == 0
    assert model.has("a.neck") and model.has("a.necklace") and not model.has("a.nec")
    assert [entry["parameters"] for entry in model.run("a.neck")] == [5]
    assert len(model.within("a.neck")) == 2
    assert model.output("a.necklace") == [4, 2, 1] and model.input("a.neck.norm") == [3]


def test_reads_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "architecture.json").write_text(json.dumps(CONTENT | {"counted": "all"}))
    assert read_description(tmp_path / "architecture.json").num_ids == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "cannot be read"), ("{", "cannot be read"), ("[]", "lacks attribute_groups"), ('{"blocks": {}}', "lacks attribute_groups, config")],
)
def test_bad_files_are_told_in_one_line(text: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"architecture\.json: .*{reason}") as told:
        read_description(path)
    assert "\n" not in str(told.value)


def test_network_names() -> None:
    assert network_name("resnet50") == "ResNet-50"
