"""Identities and cameras that lie in a file beside the descriptors.

Shapes: N images.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qafm.errors import InputError, one_line
from qafm.galleries.layouts import CAMID_NAMES, PATH_NAMES, PID_NAMES, first_of, known_or_minus_one
from qafm.galleries.side import Columns, whole_numbers
from qafm.tables.csv_rows import read_rows
from qafm.tables.parquet import read_parquet

_VECTOR_WORD = re.compile(r"_?(features?|feats?|embeddings?|descriptors?|f)$", re.IGNORECASE)


@dataclass(frozen=True)
class LabelTable:
    """The rows of a file of labels: pid [n]; camid [n] and name [n] where it has them."""

    source: Path
    pid: np.ndarray
    camid: np.ndarray | None
    name: np.ndarray | None


def with_labels(columns: Columns, labels: Path | None) -> Columns:
    """Add identities and cameras: from `labels`; else those of the file itself; else from files beside it; else from the names of the images.

    Args:
        columns: what was read.
        labels: a CSV or Parquet file with a column pid (and camid; image_id), or an .npy of identities, or a text file of one image name per line. With
            image_id, and names in `columns`, rows are looked up by name; else row i belongs to descriptor i.

    Raises:
        InputError: there are no labels, or a bad file.
    """
    if labels is not None:
        return _from_file(columns, labels)
    if columns.pid is not None:
        return columns
    beside = next((columns.source.with_suffix(suffix) for suffix in (".csv", ".txt") if columns.source.with_suffix(suffix).exists()), None)
    if beside is not None:
        return _from_file(columns, beside)
    found = _arrays_beside(columns)
    return found if found is not None else columns.labelled_by_names()


def _from_file(columns: Columns, path: Path) -> Columns:
    ending = path.suffix.lower()
    if ending == ".txt":
        return _rows_in_order(columns, path, name=_lines(path)).labelled_by_names()
    if ending == ".npy":
        return _rows_in_order(columns, path, pid=whole_numbers(path, "pid", load_array(path)))
    table = _read_parquet_labels(path) if ending == ".parquet" else _read_csv(path)
    if table.name is None or columns.name is None:
        more = {"camid": table.camid, "name": table.name}
        return _rows_in_order(columns, path, pid=table.pid, **{what: column for what, column in more.items() if column is not None})
    row_of = {str(name): row for row, name in enumerate(table.name)}
    if len(row_of) < len(table.name):
        twice = next(name for row, name in enumerate(table.name) if row_of[str(name)] != row)
        raise InputError(f"{path}: names {twice} more than once")
    unknown = next((name for name in columns.name if str(name) not in row_of), None)
    if unknown is not None:
        raise InputError(f"{columns.source}: {unknown} has no row in {path}")
    rows = np.array([row_of[str(name)] for name in columns.name])
    return replace(columns, pid=table.pid[rows], camid=columns.camid if table.camid is None else table.camid[rows])


def _rows_in_order(columns: Columns, path: Path, **labels: np.ndarray) -> Columns:
    for column in labels.values():
        if len(column) != len(columns):
            raise InputError(f"{path}: has labels of {len(column)} images, {columns.source} has {len(columns)} descriptors")
    return replace(columns, **labels)


def _arrays_beside(columns: Columns) -> Columns | None:
    """Labels in `q_pids.npy` and `q_camids.npy` beside `qf.npy`, `query_pids.npy` and `query_camids.npy` beside `query_features.npy` and the like."""
    stem = _VECTOR_WORD.sub("", columns.source.stem)
    found = {}
    for what, names in (("pid", ("pids", "pid", "labels", "ids")), ("camid", ("camids", "camid", "cams"))):
        paths = [columns.source.with_name(f"{stem}_{name}.npy" if stem else f"{name}.npy") for name in names]
        path = next((path for path in paths if path.exists()), None)
        if path is not None:
            found[what] = whole_numbers(path, what, load_array(path))
            _rows_in_order(columns, path, **{what: found[what]})
    return replace(columns, **found) if "pid" in found else None


def load_array(path: Path) -> np.ndarray:
    """An .npy file; one that holds Python objects is refused, as reading it could run anything.

    Raises:
        InputError: it is no such file.
    """
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as .npy ({one_line(error)})") from error
    if not isinstance(found, np.ndarray):
        raise InputError(f"{path}: is no .npy file")
    return found


def _read_csv(path: Path) -> LabelTable:
    rows = read_rows(path, ())
    if not rows:
        raise InputError(f"{path}: has no rows")
    return _label_table(path, {name: np.array([row[name] for row in rows], object) for name in rows[0]})


def _read_parquet_labels(path: Path) -> LabelTable:
    table = read_parquet(path)
    return _label_table(
        path, {name: np.array(table[name].to_pylist(), object) for name in table.schema.names if name in (*PID_NAMES, *CAMID_NAMES, *PATH_NAMES)}
    )


def _label_table(path: Path, columns: dict[str, np.ndarray]) -> LabelTable:
    pid, camid, name = (first_of(names, list(columns)) for names in (PID_NAMES, CAMID_NAMES, PATH_NAMES))
    if pid is None:
        raise InputError(f"{path}: has no column pid; columns are {', '.join(columns)}")
    cameras = None if camid is None else whole_numbers(path, "camid", known_or_minus_one(columns[camid]))
    return LabelTable(path, whole_numbers(path, "pid", columns[pid]), cameras, None if name is None else columns[name].astype(str))


def _lines(path: Path) -> np.ndarray:
    try:
        return np.array([line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()])
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from error
