"""What a parser finds in a folder: images, files set aside, anomalies."""

import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from qafm.errors import InputError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff"})
POOL = "pool"  # the split of an image whose identity has not been drawn into one yet


@dataclass(frozen=True, slots=True)
class Entry:
    """One image: what its name and folder say, and its content once it has been read."""

    image_id: str  # POSIX path below the data set's root; of another set to test on, test/ stands before it
    split: str  # train, query, gallery, or POOL
    identity: str  # as the data set names it: "0002", "alice"
    pid: int  # -1 junk, 0 distractor
    camid: int | None = None
    sequence: int | None = None
    frame: int | None = None
    junk: bool = False
    distractor: bool = False
    path: str = ""  # what to open, as the config names the root; empty until read
    sha256: str = ""  # empty until read
    height: int = 0
    width: int = 0

    @property
    def labelled(self) -> bool:
        """Whether the image shows a known identity."""
        return not (self.junk or self.distractor)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that looks like an image of the data set and could not be used."""

    file: str
    split: str
    reason: str


@dataclass
class Listing:
    """Everything found under a data set's root."""

    root: Path
    entries: list[Entry] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    other_files: list[str] = field(default_factory=list)  # not images by their name
    anomalies: dict[str, list[str]] = field(default_factory=dict)  # kind -> files or identities
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)  # "identities", "cameras": name -> number given to it


def is_image_name(name: str) -> bool:
    """Whether a relative file name is that of an image: a known ending, and nothing hidden (macOS leaves ._x.jpg beside x.jpg)."""
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def identity_folder(name: str) -> tuple[str, str]:
    """Of an image's path below a folder of identities: the folder of its identity, directly below that folder, and the path below that.

    Returns:
        ("0002", "cam1/a.jpg") for 0002/cam1/a.jpg; ("", name) for an image that lies in no folder of an identity.
    """
    identity, _, below = name.partition("/")
    return (identity, below) if below else ("", name)


def identity_name(text: str) -> str:
    """An identity's name in the one form that it is compared in: Unicode has two for an accented letter, and file systems do not agree on one."""
    return unicodedata.normalize("NFC", text)


def printable(name: str) -> str:
    """A file name as UTF-8 text, bytes that are not UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def list_files(folder: Path) -> list[str]:
    """All files below `folder`, links followed, except back to a folder that the way there came through: sorted POSIX paths relative to it.

    Raises:
        InputError: a folder cannot be listed; one that is hidden or not there holds nothing then.
    """

    def refuse(error: OSError) -> None:  # os.walk would pass over it, and a whole identity be missing in silence
        hidden = any(part.startswith(".") for part in PurePath(error.filename).relative_to(folder).parts)
        if not hidden and not isinstance(error, FileNotFoundError):
            raise InputError(f"{printable(error.filename)}: cannot be listed ({error.strerror})") from error

    found = []
    way = {os.fspath(folder): (os.path.realpath(folder),)}  # a folder -> the real ones on the way to it, its own last
    for parent, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        below, through = PurePath(parent).relative_to(folder).as_posix(), way.pop(parent)
        found += [name if below == "." else f"{below}/{name}" for name in files]
        real = {name: os.path.realpath(f"{parent}/{name}") for name in folders}
        folders[:] = [name for name in folders if real[name] not in through]
        way |= {f"{parent}/{name}": (*through, real[name]) for name in folders}
    return sorted(found)
