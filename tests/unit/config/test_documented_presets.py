"""A preset that the documentation shows can be saved beside the others as it stands."""

import re
from pathlib import Path
from typing import Any

import yaml

from qafm.config.run import check_names, load_presets, load_run_config, merge

PAGE, PRESETS = "docs/own-data.md", 3


def documented(project: Path, page: str) -> list[dict[str, Any]]:
    """The YAML blocks that name a data set: whole presets, no excerpts."""
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", (project / page).read_text(), flags=re.MULTILINE | re.DOTALL)]
    return [block for block in blocks if "name" in block.get("dataset", {})]


def test_presets_of_the_page_stand_beside_those_of_the_project(project: Path, default: dict[str, Any]) -> None:
    found = documented(project, PAGE)
    assert len(found) == PRESETS
    for i, preset in enumerate(found):
        check_names(load_presets(project / "config") | {f"shown-{i}.yaml": load_run_config(merge(default, preset))})
