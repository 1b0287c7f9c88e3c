"""Stage 7: calibration.csv, how well the probability of a match holds, seeds averaged."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, as_percent, as_weight, write_table
from qafm.tables.calibration import CalibrationFile, Measured, read_calibration_file
from qafm.tables.spread import with_spread
from qafm.tables.table4 import Run

FALSE_MATCHES = (0.1, 0.01, 0.001, 0.0001, 0.00001)


class Line(NamedTuple):
    """One row of the table from one seed."""

    measure: str
    value: Measured | float
    genuine: int
    impostor: int
    identities: int
    percent: bool = True
    predicted: float | None = None
    distance: float | None = None


def tabulate_calibration(files: Sequence[tuple[int, Path]], run: Run, out: Path) -> None:
    """Write calibration.csv: Cllr, ECE, EER, the false-non-match rate at given false-match rates, and the reliability diagram.

    Without a model in any file the table has one row, whose note says why.

    Args:
        files: (seed, calibration.json).
        run: what the table belongs to.
        out: the table.

    Raises:
        InputError: no file, or one is missing or broken.
    """
    if not files:
        raise InputError("table: no calibration to tabulate")
    contents = [read_calibration_file(path) for _, path in sorted(files)]
    lines: dict[str, list[Line]] = {}
    for line in (line for content in contents if content.model is not None for line in calibration_lines(content)):
        lines.setdefault(line.measure, []).append(line)
    reasons = "; ".join(dict.fromkeys(content.reason for content in contents if content.reason))
    head = {"dataset": run.dataset, "features": run.features, "model": run.model, "init": run.init, "prior": f"{contents[0].prior:g}", "note": reasons}
    rows = [head | _mean(found) for found in lines.values()] or [head | {"n_seeds": "0"}]
    measured = with_spread(["value"], len(files))
    counts = ("genuine_pairs", "impostor_pairs", "n_identities", "n_seeds")
    columns = ("measure", "dataset", "features", "model", "init", "prior", "predicted", *measured, "low", "high", "distance", *counts, "note")
    write_table(out, columns, rows)


def calibration_lines(content: CalibrationFile) -> Iterator[Line]:
    """The rows of one seed, which has a model."""
    assert content.measures is not None
    every = (content.genuine_pairs, content.impostor_pairs, content.identities)
    yield Line("Cllr (bits)", content.measures.cllr, *every, percent=False)
    yield Line("least Cllr (bits)", content.measures.cllr_min, *every, percent=False)
    yield Line("ECE (%)", content.measures.ece, *every)
    yield Line("ECE by chance (%)", content.measures.ece_by_chance, *every)
    yield Line("EER (%)", content.measures.eer, *every)
    for rate in FALSE_MATCHES:
        points = [point for point in content.det if point.false_match_rate.value <= rate]
        if points and rate * content.identity_pairs >= 1:  # a rarer false match was never measured
            yield Line(f"FNMR at FMR {100 * rate:g} (%)", points[-1].false_non_match_rate, *every, distance=points[-1].distance)
    for part in content.reliability:
        name = f"one person, given {part.start:g} to {part.end:g} (%)"
        yield Line(name, part.observed, part.genuine, part.impostor, content.identities, predicted=part.predicted)


def _mean(lines: Sequence[Line]) -> Cells:
    """The cells of one row: means over seeds."""
    form = (lambda value: as_percent(100 * value)) if lines[0].percent else as_weight
    values = [line.value.value if isinstance(line.value, Measured) else line.value for line in lines]
    cells: Cells = {"measure": lines[0].measure, "value": form(_average(values)), "n_seeds": str(len(lines)), "n_identities": str(lines[0].identities)}
    cells |= {"genuine_pairs": f"{_average(line.genuine for line in lines):.0f}", "impostor_pairs": f"{_average(line.impostor for line in lines):.0f}"}
    if len(lines) > 1:
        cells["value_sd"] = form(float(np.std(values, ddof=1)))
    intervals = [line.value for line in lines if isinstance(line.value, Measured)]
    if intervals:
        cells |= {"low": form(_average(value.low for value in intervals)), "high": form(_average(value.high for value in intervals))}
    predicted, distance = ([getattr(line, name) for line in lines if getattr(line, name) is not None] for name in ("predicted", "distance"))
    if predicted:
        cells["predicted"] = form(_average(predicted))
    if distance:
        cells["distance"] = f"{_average(distance):.3f}"
    return cells


def _average(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
