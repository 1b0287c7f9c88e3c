"""The pinned environment: environment.yml is what the requirements say, and no address stands in either."""

import runpy
from pathlib import Path


def test_environment_file_agrees_with_the_requirements(project: Path) -> None:
    environment = runpy.run_path(str(project / "workflow" / "write_environment.py"))["environment"]
    assert (project / "environment.yml").read_text() == environment((project / "requirements.txt").read_text())


def test_every_direct_requirement_is_pinned_with_hashes(project: Path) -> None:
    pinned = (project / "requirements.txt").read_text()
    wanted = [line.split("==")[0].split("[")[0].strip() for line in (project / "requirements.in").read_text().splitlines() if line and line[0] != "#"]
    for name in wanted:
        assert f"\n{name}==" in f"\n{pinned}" or f"\n{name}[" in f"\n{pinned}", name
    entries = [line for line in pinned.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert pinned.count("--hash=sha256:") >= len(entries)


def test_no_address_in_either(project: Path) -> None:
    for name in ("requirements.txt", "environment.yml"):
        assert "://" not in (project / name).read_text()
