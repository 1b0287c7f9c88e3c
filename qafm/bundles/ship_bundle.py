"""From the bundle of a run to the one that comes with the package."""

import shutil
from pathlib import Path

from qafm.bundles.bundle_files import CALIBRATION, CONFIG, SHIPPED, weight_files
from qafm.bundles.load_bundle import load_bundle
from qafm.bundles.model_card import model_card
from qafm.errors import InputError
from qafm.runtime.files import whole_file
from qafm.tables.calibration import read_calibration_file

CARD = "README.md"
LIMIT = 5_000_000  # bytes, all files together
COMMAND = "make shipped"


def ship_bundle(source: Path, target: Path = SHIPPED) -> int:
    """Copy a bundle and write its model card beside it.

    Args:
        source: the folder of a bundle.
        target: the folder to fill; other files in it are removed.

    Returns:
        Size of all files, bytes.

    Raises:
        InputError: the bundle is damaged, was trained on other than synthetic people, or is larger than LIMIT; `target` holds a folder.
    """
    config = load_bundle(source).config
    if config.trained_on.kind != "synthetic":
        raise InputError(f"{source}: was trained on {config.trained_on.words}; only a model of synthetic people is shipped")
    card = model_card(config, read_calibration_file(source / CALIBRATION), source, COMMAND)
    files = [source / CONFIG, source / CALIBRATION, *weight_files(source, config)]
    size = sum(path.stat().st_size for path in files) + len(card.encode())
    if size > LIMIT:
        raise InputError(f"{source}: takes {size} bytes, more than {LIMIT}")
    for path in target.iterdir() if target.exists() else ():
        if path.is_dir():
            raise InputError(f"{path}: a folder among the files of a bundle; move it away")
    for path in files:
        with whole_file(target / path.name) as temporary:
            shutil.copyfile(path, temporary)
    with whole_file(target / CARD) as temporary:
        temporary.write_text(card, encoding="utf-8")
    kept = {path.name for path in files} | {CARD}
    for path in target.iterdir():
        if path.name not in kept:
            path.unlink()
    return size
