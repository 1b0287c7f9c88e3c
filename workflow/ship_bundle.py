"""Copy the bundle of a run into the package and write its model card: the second half of `make shipped`.

usage: ship_bundle.py PRESET.yaml     (lies over the config.yaml beside it)
"""

import sys
from pathlib import Path

from qafm.bundles.ship_bundle import ship_bundle
from qafm.config.run import load_run_files
from qafm.errors import InputError

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    preset = Path(sys.argv[1])
    try:
        config = load_run_files([preset.parent / "config.yaml", preset])
        size = ship_bundle(config.seed_folder(config.seeds[0]) / "bundle")
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"shipped: {size / 1e6:.2f} MB")
