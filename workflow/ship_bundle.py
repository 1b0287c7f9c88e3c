"""Copy the bundle of a run into the package and write its model card: the second half of `make shipped`.

usage: ship_bundle.py PRESET.yaml     (lies over the config.yaml beside it)
"""

import sys
from pathlib import Path

from qafm.bundles.ship_bundle import ship_bundle
from qafm.config.run import RunConfig, load_run_files
from qafm.runtime.errors import InputError


def bundle_of(config: RunConfig) -> Path:
    """Where a run leaves the bundle of its first seed."""
    return Path("results") / config.dataset.name / config.features.name / config.model.name / f"seed-{config.seeds[0]}" / "bundle"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    preset = Path(sys.argv[1])
    try:
        size = ship_bundle(bundle_of(load_run_files([preset.parent / "config.yaml", preset])))
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"shipped: {size / 1e6:.2f} MB")
