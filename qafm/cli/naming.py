"""Identity and camera of an image, as far as its name and folder say them."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple, TypeAlias

import typer

from qafm.datasets.entry import identity_folder
from qafm.datasets.market1501 import parse_name
from qafm.errors import InputError

Names: TypeAlias = Literal["none", "market", "folders"]
NamesOption = Annotated[
    Names,
    typer.Option(
        "--names",
        help="Where the identity stands: none; market: in PPPP_cCsS_FFFFFF_BB.jpg; folders: one folder each, directly below the named one.",
    ),
]
CameraOption = Annotated[
    str | None,
    typer.Option(
        "--camera-pattern",
        metavar="REGEX",
        help=r"Where the camera's number stands in the path below the named folder, or below the identity's, e.g. `cam(\d+)` or `cam(?P<camera>\d+)`.",
        show_default=False,
    ),
]
_MAX_INT16, _MAX_INT32 = 2**15 - 1, 2**31 - 1


class Named(NamedTuple):
    """What a name says; None where it says nothing. `folder` is the identity's folder, of `--names folders`."""

    pid: int | None
    camid: int | None
    folder: str | None = None


def camera_pattern(text: str | None) -> re.Pattern[str] | None:
    """The expression of `--camera-pattern`: with one group, or with a group `camera` as `dataset.folders.camera_pattern` has it.

    Raises:
        InputError: it is none, or does not say which group is the camera.
    """
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InputError(f"--camera-pattern: {text!r} is no regular expression ({error})") from error
    if "camera" not in pattern.groupindex and pattern.groups != 1:
        raise InputError(f"--camera-pattern: {text!r} needs one group, in parentheses, around the camera's number, or one named (?P<camera>...)")
    return pattern


def read_name(image: str, names: Names, cameras: re.Pattern[str] | None, below: str | None = None) -> Named:
    """Identity and camera of an image, by the rules of `kind: folders` in a configuration.

    A folder's name becomes the identity's number: the number that it is, else one drawn from the name's SHA-256, the same in every gallery. It is never 0,
    which means a distractor.

    Args:
        image: its path, POSIX.
        names: where the identity stands.
        cameras: where the camera stands, in the path below the named folder, or below the identity's folder; None: nowhere but in Market-1501's names.
        below: its path below the folder that was named. None: the image was named itself; the folder it lies in is that of its identity, and the camera
            stands in the file name.

    Raises:
        InputError: the name does not say what was asked for.
    """
    path = PurePosixPath(image)
    pid = camid = folder = None
    searched = path.name if below is None else below
    if names == "market":
        parts = parse_name(path.name)
        if parts is None:
            raise InputError(f"{image}: is not named as Market-1501's images are, PPPP_cCsS_FFFFFF_BB.jpg")
        pid, camid = parts.pid, parts.camid
    elif names == "folders":
        folder, searched = (path.parent.name, path.name) if below is None else identity_folder(below)
        if not folder:
            raise InputError(f"{image}: lies in no folder of an identity")
        pid = _number(folder)
    return Named(pid, camid if cameras is None else _camera(image, searched, cameras), folder)


def _number(folder: str) -> int:
    if folder.isascii() and folder.isdecimal() and 0 < int(folder) <= _MAX_INT32:
        return int(folder)
    return 1 + int.from_bytes(hashlib.sha256(folder.encode("utf-8", "surrogateescape")).digest()[:8], "big") % _MAX_INT32


def _camera(image: str, searched: str, pattern: re.Pattern[str]) -> int:
    found = pattern.search(searched)
    text = found["camera" if "camera" in pattern.groupindex else 1] if found else None
    if not text or not text.isdecimal() or int(text) > _MAX_INT16:
        raise InputError(f"{image}: --camera-pattern finds no number of a camera in {searched!r}")
    return int(text)


def identities(images: Iterable[tuple[str, Named]]) -> dict[int, str]:
    """The folder behind each number that `read_name` gave images, (path, what its name says), for folders; empty for other names.

    Raises:
        InputError: two folders have one number.
    """
    found: dict[int, str] = {}
    for image, named in images:
        if named.pid is None or named.folder is None:
            continue
        if found.setdefault(named.pid, named.folder) != named.folder:
            raise InputError(f"{image}: the folders {found[named.pid]} and {named.folder} have the same number {named.pid}: rename one of them")
    return found
