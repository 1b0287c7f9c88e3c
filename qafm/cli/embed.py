"""`qafm embed`: a folder of images becomes a gallery, or is added to one."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from tqdm import tqdm

from qafm.cli.image_files import check_image, list_folder, path_below, shown, tell_left_out
from qafm.cli.naming import CameraOption, Named, Names, NamesOption, camera_pattern, identities, read_name
from qafm.cli.options import AsJson, DeviceName, ModelPath, load_model
from qafm.cli.output import check_target, print_json
from qafm.errors import InputError
from qafm.galleries.unicode_path import unicode_path
from qafm.runtime.files import file_sha256

if TYPE_CHECKING:
    from qafm.inference.model import ReidModel
    from qafm.tables.gallery import GalleryRows

PAUSE_S = 60  # seconds after which the gallery is written ...
SHARE = 20  # ... or as many times what writing it took the last time, as the whole file is copied ...
HELD = 16_384  # ... or descriptors held at most


class Found(NamedTuple):
    """An image of the folder, and what its name says."""

    path: Path
    named: Named


class New(NamedTuple):
    """An image that the gallery does not hold."""

    path: Path
    image_id: str
    sha256: str
    named: Named


@dataclass
class Report:
    """What happened to the images of the folder."""

    added: int = 0
    replaced: int = 0
    known: int = 0
    relabelled: int = 0  # of the known ones
    other_files: int = 0  # no images by their names
    left_out: dict[str, str] = field(default_factory=dict)  # image -> why

    def leave_out(self, image: Path, error: Exception) -> None:
        """Note an image that cannot be used, and say so."""
        tell_left_out(image, error, self.left_out)


def embed(
    folder: Annotated[Path, typer.Argument(help="Images, also in folders below it.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The gallery, a Parquet file. If it is there, what is new is added.", show_default=False)],
    model: ModelPath = None,
    device: DeviceName = "auto",
    names: NamesOption = "none",
    cameras: CameraOption = None,
    fast: Annotated[bool, typer.Option("--fast", help="Without Q: 6 to 14 times faster on a CPU; each image gets the weight of the mean Q.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="A single image that cannot be used ends the command, before anything is written.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn a folder of images into a gallery that can be searched, or add to one.

    Images that the gallery holds already, under the same path and with the same content, are not embedded again; what their names say of them now is
    taken over. Images that cannot be used are named, counted and left out. The gallery is written as the work goes on: after an interruption the same
    command goes on where it was.
    """
    files, others = list_folder(folder)
    pattern = camera_pattern(cameras)
    check_target(output)
    unicode_path(output)
    report = Report(other_files=others)
    found = _named(files, folder, names, pattern, None if strict else report)
    for file in files if strict else ():
        check_image(file)
    people = identities((image.path.as_posix(), image.named) for image in found)
    loaded = load_model(model, device)
    in_all = _known(output, loaded, fast)
    new, known = _compared(found, in_all, report)
    try:
        _embed_all(loaded, new, output, fast, report)
        report.relabelled = _relabel(output, known)
    except KeyboardInterrupt:
        done = report.added + report.replaced
        kept = f"{done} of {len(new)} new images are in {shown(output)}; the same command goes on from there" if done else "nothing was written yet"
        raise KeyboardInterrupt(f"({kept})") from None
    if report.added + report.replaced + report.known == 0:
        first, reason = next(iter(report.left_out.items()))
        raise InputError(f"{shown(folder)}: none of its {len(files)} images can be used; the first is {first}: {reason}")
    if as_json:
        print_json({"gallery": shown(output), "model": loaded.name, "model_id": loaded.model_id, **vars(report), "identities": people})
        return
    counts = [f"{report.added} added", f"{report.known} known already"]
    counts += [f"{report.relabelled} of them relabelled"] if report.relabelled else []
    counts += [f"{report.replaced} replaced"] if report.replaced else []
    counts += [f"{len(report.left_out)} left out"] if report.left_out else []
    counts += [f"{report.other_files} files that are no images by their names"] if report.other_files else []
    typer.echo(f"{shown(output)}: {', '.join(counts)}; {len(in_all) + report.added} images by {loaded.name}")


def _known(path: Path, model: "ReidModel", fast: bool) -> dict[str, str]:
    """What the gallery holds: image_id -> sha256."""
    from qafm.galleries.gallery import Gallery, known_images

    if not path.exists():
        return {}
    with Gallery(path) as gallery:
        if gallery.header.model_id == model.gallery_id(quality=fast) != model.gallery_id(quality=not fast):
            raise InputError(f"{path}: was made {'with Q' if fast else 'with --fast'}: {'leave --fast out' if fast else 'add --fast'}, or choose another file")
        gallery.check_made_by(model.gallery_id(quality=not fast), model.name)
    return known_images(path)


def _named(files: Sequence[Path], folder: Path, names: Names, cameras: re.Pattern[str] | None, report: Report | None) -> list[Found]:
    """The images whose names can be used; the others are left out, without a report the first of them is an error."""
    found = []
    for file in files:
        try:
            if shown(file) != file.as_posix():
                raise InputError(f"{shown(file)}: bad file name: not UTF-8")
            found.append(Found(file, read_name(file.as_posix(), names, cameras, path_below(file, folder))))
        except InputError as error:
            if report is None:
                raise
            report.leave_out(file, error)
    return found


def _compared(found: Sequence[Found], in_all: dict[str, str], report: Report) -> tuple[list[New], list[Found]]:
    """The images that are not in the gallery as they are, and those that are."""
    new, known = [], []
    for file, named in tqdm(found, desc="reading", unit="image", disable=None, leave=False):
        image_id = file.as_posix()
        try:
            sha256 = file_sha256(file)
        except OSError as error:
            report.leave_out(file, InputError(f"cannot be read ({error.strerror})"))
            continue
        if in_all.get(image_id) == sha256:
            known.append(Found(file, named))
        else:
            new.append(New(file, image_id, sha256, named))
    report.known = len(known)
    return new, known


def _relabel(output: Path, known: Sequence[Found]) -> int:
    """Give images that the gallery holds the identities and cameras that their names say now; returns how many changed."""
    from qafm.galleries.relabel_gallery import Label, relabel_gallery

    labels = {image.path.as_posix(): Label(image.named.pid, image.named.camid) for image in known if (image.named.pid, image.named.camid) != (None, None)}
    return relabel_gallery(output, labels) if labels else 0


def _embed_all(model: "ReidModel", new: list[New], output: Path, fast: bool, report: Report) -> None:
    """Embed and append in portions, each of which is kept whatever happens to the next; an interruption keeps what is there, too."""
    from qafm.galleries.append_gallery import append_gallery

    held: list[GalleryRows] = []

    def write() -> float:
        """Append what is held; returns the seconds it took."""
        start = time.monotonic()
        if held:
            done = append_gallery(output, held, model_id=model.gallery_id(quality=not fast), model=model.name, dim=model.dim)
            report.added, report.replaced = report.added + done.added, report.replaced + done.replaced
            report.known += done.known  # another process was faster
            held.clear()
        return time.monotonic() - start

    with tqdm(total=len(new), desc="embed", unit="image", disable=None) as bar:
        last, pause = time.monotonic(), float(PAUSE_S)
        try:
            for rows in _rows(model, new, fast, report, bar):
                held.append(rows)
                if time.monotonic() - last >= pause or sum(len(part.image_id) for part in held) >= HELD:
                    pause = max(PAUSE_S, SHARE * write())
                    last = time.monotonic()
        finally:
            write()


def _rows(model: "ReidModel", new: list[New], fast: bool, report: Report, bar: tqdm) -> Iterator["GalleryRows"]:
    """Descriptors, batch by batch."""
    from qafm.tables.gallery import GalleryRows

    by_path = {image.path: image for image in new}

    def leave_out(image: object, error: InputError) -> None:
        report.leave_out(Path(str(image)), error)
        bar.update()

    for paths, found in model.embed_iter([image.path for image in new], quality=not fast, progress=False, on_error=leave_out):
        images = [by_path[Path(str(path))] for path in paths]
        yield GalleryRows(
            [image.image_id for image in images],
            [image.sha256 for image in images],
            found.descriptor,
            [image.named.pid for image in images],
            [image.named.camid for image in images],
            found.q,
            found.visual_weight,
        )
        bar.update(len(images))
