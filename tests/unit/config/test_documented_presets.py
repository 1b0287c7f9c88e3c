"""A preset that the documentation shows can be saved beside the others as it stands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from qafm.config.run import check_names, load_presets, load_run_config, merge

PAGES = ("README.md", "docs/own-data.md")


def documented(project: Path, page: str) -> list[dict[str, Any]]:
    """The YAML blocks that name a data set: whole presets, no excerpts."""
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", (project / page).read_text(), flags=re.MULTILINE | re.DOTALL)]
    return [block for block in blocks if "name" in block.get("dataset", {})]


@pytest.mark.parametrize("page", PAGES)
def test_presets_of_the_pages_stand_beside_those_of_the_project(project: Path, default: dict[str, Any], page: str) -> None:
    found = documented(project, page)
    assert len(found) == 2
    for i, preset in enumerate(found):
        check_names(load_presets(project / "config") | {f"shown-{i}.yaml": load_run_config(merge(default, preset))})
