"""The pinned environment: environment.yml is what the requirements say, and no address stands in either."""

import re
import runpy
from pathlib import Path


def hashes(requirements: str) -> dict[str, list[str]]:
    """`name==version ; marker` -> the hashes of this entry, which goes on below where a line ends in a backslash."""
    entries = [line for line in requirements.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {pin.strip(): [each.strip() for each in found] for pin, *found in (entry.split("--hash=") for entry in entries)}


def without_hash(requirements: str) -> list[str]:
    """The entries that pip would install unchecked."""
    return [pin for pin, found in hashes(requirements).items() if not any(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in found)]


def test_environment_file_agrees_with_the_requirements(project: Path) -> None:
    environment = runpy.run_path(str(project / "workflow" / "write_environment.py"))["environment"]
    assert (project / "environment.yml").read_text() == environment((project / "requirements.txt").read_text())


def test_every_direct_requirement_is_pinned_with_hashes(project: Path) -> None:
    pinned = (project / "requirements.txt").read_text()
    wanted = [line.split("==")[0].split("[")[0].strip() for line in (project / "requirements.in").read_text().splitlines() if line and line[0] != "#"]
    for name in wanted:
        assert f"\n{name}==" in f"\n{pinned}" or f"\n{name}[" in f"\n{pinned}", name
    assert list(hashes(pinned)) == runpy.run_path(str(project / "workflow" / "write_environment.py"))["pins"](pinned)
    assert without_hash(pinned) == []


def test_an_entry_without_a_hash_is_found() -> None:
    one, two = ("    --hash=sha256:" + digit * 64 for digit in "12")
    text = f"a==1 \\\n{one} \\\n{two}\n    # via b\nb==2 ; sys_platform == 'linux'\n    # via\n    #   a\nc==3 \\\n    --hash=sha256:1\nd==4 \\\n{two}\n"
    assert without_hash(text) == ["b==2 ; sys_platform == 'linux'", "c==3"]


def test_no_address_in_either(project: Path) -> None:
    for name in ("requirements.txt", "environment.yml"):
        assert "://" not in (project / name).read_text()
