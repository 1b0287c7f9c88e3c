"""The default run's configuration."""

from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def default(project: Path) -> dict[str, Any]:
    return yaml.safe_load((project / "config" / "config.yaml").read_text())
