"""Write environment.yml, for conda users, from the pinned requirements: `make requirements` runs it, a test checks that both agree.

usage: write_environment.py REQUIREMENTS ENVIRONMENT
"""

import sys
from pathlib import Path

HEADER = """\
# Generated from requirements.txt by `make requirements`: do not edit. conda users: snakemake --software-deployment-method conda ...
name: qafm
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def pins(requirements: str) -> list[str]:
    """The `name==version ; marker` part of each entry, hashes and comments left out."""
    lines = [line.strip().removesuffix("\\").strip() for line in requirements.splitlines()]
    return [line for line in lines if "==" in line and not line.startswith(("#", "--"))]


def environment(requirements: str) -> str:
    """The text of environment.yml for the text of a requirements file."""
    return HEADER + "".join(f'      - "{pin}"\n' for pin in pins(requirements))


def main(source: str, target: str) -> None:
    """Read `source`, write `target`."""
    Path(target).write_text(environment(Path(source).read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
