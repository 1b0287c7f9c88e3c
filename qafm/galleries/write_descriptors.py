"""Writing a gallery for other tools, a row group at a time.

Shapes: N images, D length of a descriptor.
"""

import csv
import zipfile
from pathlib import Path
from typing import IO, Literal, TypeAlias, get_args

import numpy as np

from qafm.errors import InputError
from qafm.galleries.gallery import Gallery
from qafm.runtime.files import whole_file

Format: TypeAlias = Literal["npz", "npy"]
UNKNOWN_LABEL = -1
CSV_COLUMNS = ("image_id", "pid", "camid", "sha256", "q", "visual_weight")


def write_descriptors(gallery: str | Path, path: str | Path, format: Format, *, overwrite: bool = False) -> None:
    """Write the descriptors and labels of a gallery in a form that other tools read, and `evaluate_files` too.

    npz: `features` float32 [N, D], `pids` and `camids` int64 [N], `paths` str [N]: np.load(path), without pickles. Unknown identities and cameras are -1.
    npy: the matrix float32 [N, D], and a CSV of the same name beside it: image_id, pid, camid, sha256, q, visual_weight; unknown values are empty.

    Args:
        gallery: the gallery.
        path: the file to write; its ending must be the format's.
        format: "npz" or "npy".
        overwrite: replace files that are there.

    Raises:
        InputError: the gallery is damaged, the ending is not the format's, or a file is there already.
    """
    path = Path(path)
    if format not in get_args(Format):
        raise InputError(f"{path}: descriptors are written as {' or '.join(get_args(Format))}, not {format!r}")
    if path.suffix != f".{format}":
        raise InputError(f"{path}: must end in .{format}")
    there = next((file for file in (path, path.with_suffix(".csv"))[: 1 if format == "npz" else 2] if file.exists()), None)
    if there is not None and not overwrite:
        raise InputError(f"{there}: is there already; overwrite=True replaces it")
    with Gallery(gallery) as opened:
        if format == "npz":
            _write_npz(opened, path)
        else:
            with whole_file(path) as temporary, temporary.open("wb") as stream:
                _write_matrix(opened, stream)
            _write_csv(opened, path.with_suffix(".csv"))


def _write_matrix(gallery: Gallery, stream: IO[bytes]) -> None:
    """The descriptors as an .npy stream."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (gallery.rows, gallery.header.dim)}
    np.lib.format.write_array_header_2_0(stream, header)
    for block in gallery.blocks(["descriptor"]):
        stream.write(block.descriptor.astype("<f4", copy=False).tobytes())


def _write_npz(gallery: Gallery, path: Path) -> None:
    names: list[str] = []
    labels: dict[str, list[np.ndarray]] = {"pids": [], "camids": []}
    for block in gallery.blocks(["image_id", "pid", "camid"]):
        names += block.table["image_id"].to_pylist()
        for name, column in (("pids", "pid"), ("camids", "camid")):
            labels[name].append(block.table[column].cast("int64").fill_null(UNKNOWN_LABEL).to_numpy())
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        with archive.open("features.npy", "w", force_zip64=True) as stream:
            _write_matrix(gallery, stream)
        none = [np.empty(0, np.int64)]
        for name, array in ({"paths": np.array(names, str)} | {name: np.concatenate(none + parts) for name, parts in labels.items()}).items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _write_csv(gallery: Gallery, path: Path) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for block in gallery.blocks(CSV_COLUMNS):
            writer.writerows(zip(*(block.table[name].to_pylist() for name in CSV_COLUMNS), strict=True))  # None is written as an empty cell
