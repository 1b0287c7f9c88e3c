"""The images that a command line names."""

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tqdm import tqdm

from qafm.datasets.entry import is_image_name, list_files, printable
from qafm.errors import InputError


class Image(NamedTuple):
    """An image of a command line; `below` is its path below the folder that was named, POSIX; None: it was named itself."""

    path: Path
    below: str | None


class Usable(NamedTuple):
    """The images that can be used."""

    images: list[Image]
    left_out: dict[str, str]  # image -> why

    @property
    def files(self) -> list[Path]:
        """Their paths."""
        return [image.path for image in self.images]


class Listing(NamedTuple):
    """What lies below a folder; hidden files do not count."""

    images: list[Path]  # sorted by name
    others: int  # files that are no images by their names


def list_folder(folder: Path) -> Listing:
    """All images below a folder, links followed, and how many other files there are.

    Raises:
        InputError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: {'is a file, no folder' if folder.exists() else 'no such folder'}")
    names = list_files(folder)
    images = [folder / name for name in names if is_image_name(name)]
    if not images:
        raise InputError(f"{folder}: holds no image (.jpg, .jpeg, .png, .webp, .bmp, .tif)")
    return Listing(images, sum(not is_image_name(name) for name in names if not any(part.startswith(".") for part in PurePosixPath(name).parts)))


def list_images(paths: Sequence[Path]) -> list[Image]:
    """The images that `paths` name: files as they are, folders as all images below them.

    Raises:
        InputError: a folder holds none.
    """
    found: list[Image] = []
    for path in paths:
        found += [Image(image, path_below(image, path)) for image in list_folder(path).images] if path.is_dir() else [Image(path, None)]
    return found


def path_below(image: Path, folder: Path) -> str:
    """The path of an image of `list_folder(folder)`, seen from there, POSIX."""
    return image.relative_to(folder).as_posix()


def usable_images(paths: Sequence[Path]) -> Usable:
    """The images that `paths` name, as of `list_images`, each decoded once. One that cannot be used ends the command, before anything is computed, if
    it was named itself; one of a folder is left out, and named on stderr.

    Raises:
        InputError: an image that was named itself is missing, cannot be decoded, or is too small or too large; or none is left.
    """
    found = Usable([], {})
    for image in list_images(paths):
        try:
            check_image(image.path)
        except InputError as error:
            if image.below is None:
                raise
            tell_left_out(image.path, error, found.left_out)
        else:
            found.images.append(image)
    if not found.images:
        raise InputError(f"none of the {len(found.left_out)} images can be used")
    return found


def tell_left_out(image: Path, error: Exception, left_out: dict[str, str]) -> None:
    """Add an image that cannot be used to `left_out`, and name it and the reason on stderr."""
    name = shown(image)
    left_out[name] = str(error).removeprefix(f"{image}: ").removeprefix(f"{name}: ")
    tqdm.write(f"left out: {name}: {left_out[name]}", file=sys.stderr)


def check_image(path: Path) -> None:
    """Decode an image once.

    Raises:
        InputError: it is missing, a pipe, cannot be decoded, or is too small or too large.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no file that can be read again; save what comes through a pipe first")
    from qafm.inference.pictures import open_picture

    open_picture(path, 0)


def named_image(path: Path) -> Path:
    """The one image that `path` names, decoded once.

    Raises:
        InputError: it is a folder, or no image that can be used.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder, one image is needed")
    check_image(path)
    return path


def shown(path: Path) -> str:
    """A path as text that any terminal can print."""
    return printable(path.as_posix())
