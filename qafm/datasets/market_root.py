"""Where Market-1501's images lie below whatever folder was named as its root."""

from pathlib import Path

from qafm.errors import InputError

MARKET_FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}


def find_market_root(root: Path) -> Path:
    """Find the folder that contains bounding_box_train: `root` itself or a folder at most two levels below it.

    Raises:
        InputError: there is no such folder, or more than one.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    name = MARKET_FOLDERS["train"]
    for pattern in (name, f"*/{name}", f"*/*/{name}"):
        found = sorted(path.parent for path in root.glob(pattern) if path.is_dir())
        if len(found) > 1:
            raise InputError(f"{root}: {name} found more than once, in {', '.join(str(path) for path in found)}: name one of them as the root")
        if found:
            return found[0]
    raise InputError(f"{root}: neither this folder nor one below it contains {name}")
