"""par_accuracy.csv and par_f1.csv: how well each loss teaches the attributes, in the layout of the report's Tables 2 and 3."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qafm.companions.par.class_weights import class_counts
from qafm.companions.par.classes import head_classes, par_codes
from qafm.companions.par.identity_fold import trained_on
from qafm.companions.par.predictions import NO_HEAD, read_predictions
from qafm.companions.par.published import ACCURACY, GLOBAL, MACRO_F1, REPORT_ORDER
from qafm.errors import InputError
from qafm.evaluation.ablation_rows import Cells, as_percent, mean_cells, write_table
from qafm.evaluation.attribute_accuracy import attribute_codes
from qafm.evaluation.class_scores import ClassScores, commonest, mean_scores, score_classes
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet
from qafm.tables.spread import with_spread

SETS = ("validation", "gallery")
BASELINE = "majority"
PUBLISHED = {"accuracy": ACCURACY, "macro_f1": MACRO_F1}


@dataclass(frozen=True)
class ParRun:
    """What the tables belong to.

    Args:
        dataset: the {d} of the result paths.
        init: what the networks started from.
        market1501: whether it is Market-1501 itself, so that the published numbers may stand beside the measured ones.
        multi_color: whether an unknown colour is a class of its own.
        train_share, split_seed: which train identities were trained on.
    """

    dataset: str
    init: str
    market1501: bool
    multi_color: bool
    train_share: float
    split_seed: int


@dataclass(frozen=True)
class _Labels:
    """Codes of a set's images [N, 12], in the order of `image_ids`."""

    image_ids: list[str]
    codes: np.ndarray


Scores = dict[str, ClassScores | None]  # attribute, or GLOBAL -> score
Models = dict[str, dict[int, Scores]]  # loss -> seed -> scores


def tabulate_par(files: Sequence[tuple[int, str, Path]], images: Path, run: ParRun, accuracy: Path, macro_f1: Path) -> None:
    """Write both tables: per set a row for each attribute and their mean, "Global", a column for each loss, percent, means over seeds.

    Sets: `validation`, the report's own, identities of the train split that no network was trained on (but that decided when to stop); and `gallery`,
    identities that decided nothing. `majority` always answers the class that is commonest among the trained images. `absent` classes have no label in
    the set and no part in macro F1. On Market-1501 `published_*` are the report's numbers, on its own draw of validation identities, from ImageNet.

    Args:
        files: (seed, loss, predictions.parquet).
        images: images.parquet.
        run: what the tables belong to.
        accuracy: par_accuracy.csv to write.
        macro_f1: par_f1.csv to write.

    Raises:
        InputError: no file, losses with different seeds, or an image without a prediction.
    """
    losses = list(dict.fromkeys(loss for _, loss, _ in files))
    seeds = sorted({seed for seed, _, _ in files})
    if not files or len(files) != len(losses) * len(seeds):
        raise InputError(f"table: {len(files)} files for losses {losses} and seeds {seeds}, one of each is needed")
    train, labels = _read_labels(images, run)
    rows: dict[str, list[Cells]] = {"accuracy": [], "macro_f1": []}
    for name in [name for name in SETS if labels[name].image_ids]:
        models: Models = {loss: {} for loss in losses}
        for seed, loss, path in files:
            models[loss][seed] = _score(_predicted(path, labels[name], run), labels[name].codes, train, run)
        models[BASELINE] = {0: _score(_always_commonest(train, len(labels[name].codes), run), labels[name].codes, train, run)}
        for field, table in rows.items():
            for attribute in (*REPORT_ORDER, GLOBAL):
                table.append(_row(attribute, name, field, models, train, labels[name].codes, run, len(seeds)))
    for field, out in (("accuracy", accuracy), ("macro_f1", macro_f1)):
        write_table(out, _columns(losses, len(seeds), run), rows[field])


def _columns(losses: Sequence[str], n_seeds: int, run: ParRun) -> list[str]:
    own = with_spread(losses, n_seeds)
    published = [f"published_{loss}" for loss in losses] if run.market1501 else []
    return ["attribute", "set", "dataset", "init", "n", "n_classes", "n_absent", "absent", BASELINE, *own, "n_seeds", *published, "note"]


def _read_labels(images: Path, run: ParRun) -> tuple[np.ndarray, dict[str, _Labels]]:
    """Codes [M, 12] of the images that were trained on, and the labels of each set."""
    table = read_parquet(images, IMAGES_SCHEMA)
    table = table.filter(~pc.field("junk") & ~pc.field("distractor"))
    train = table.filter(pc.field("split") == "train")
    try:
        fitted = trained_on(train["pid"].to_numpy(), run.train_share, run.split_seed)
    except ValueError as error:
        raise InputError(f"{images}: {error}") from error
    sets = {"validation": train.filter(pa.array(~fitted)), "gallery": table.filter(pc.field("split") == "gallery")}
    codes = par_codes(attribute_codes(train), run.multi_color)
    return codes[fitted], {name: _Labels(rows["image_id"].to_pylist(), _codes(rows, run)) for name, rows in sets.items()}


def _codes(rows: pa.Table, run: ParRun) -> np.ndarray:
    empty = np.empty((0, len(ATTRIBUTE_NAMES)), np.int64)
    return par_codes(attribute_codes(rows), run.multi_color) if rows.num_rows else empty


def _predicted(path: Path, labels: _Labels, run: ParRun) -> np.ndarray:
    found = read_predictions(path)
    if (found.codes >= [len(classes) for classes in head_classes(run.multi_color).values()]).any():
        raise InputError(f"{path}: holds a class that is not among those of this run (multi_color: {run.multi_color})")
    missing = next((name for name in labels.image_ids if name not in found.row_of), None)
    if missing is not None:
        raise InputError(f"{path}: has no prediction for {missing}")
    return found.codes[[found.row_of[name] for name in labels.image_ids]]


def _always_commonest(train: np.ndarray, count: int, run: ParRun) -> np.ndarray:
    classes = head_classes(run.multi_color)
    answers = [commonest(train[:, i], len(classes[name])) for i, name in enumerate(ATTRIBUTE_NAMES)]
    return np.tile([NO_HEAD if answer is None else answer for answer in answers], (count, 1))


def _score(predicted: np.ndarray, labels: np.ndarray, train: np.ndarray, run: ParRun) -> Scores:
    classes = head_classes(run.multi_color)
    scores: Scores = {}
    for i, name in enumerate(ATTRIBUTE_NAMES):
        answered = (predicted[:, i] != NO_HEAD).all()
        learned = class_counts(train[:, i], len(classes[name])) > 0
        scores[name] = score_classes(predicted[:, i], labels[:, i], len(classes[name]), "labelled", learned) if answered else None
    return scores | {GLOBAL: mean_scores([score for score in scores.values() if score is not None])}


def _row(attribute: str, name: str, field: str, models: Models, train: np.ndarray, labels: np.ndarray, run: ParRun, n_seeds: int) -> Cells:
    cells: Cells = {"attribute": attribute, "set": name, "dataset": run.dataset, "init": run.init, "n_seeds": str(n_seeds)}
    cells |= {"note": _about_all(models)} if attribute == GLOBAL else _about(attribute, train, labels, run)
    for model, scores in models.items():
        values = [getattr(score, field) for of_seed in scores.values() if (score := of_seed[attribute]) is not None]
        cells |= mean_cells(model, values)
        if name == "validation" and model in PUBLISHED[field][attribute]:
            cells[f"published_{model}"] = as_percent(PUBLISHED[field][attribute][model])
    return cells


def _about(attribute: str, train: np.ndarray, labels: np.ndarray, run: ParRun) -> Cells:
    """What the labels say: how many are known, which classes are missing, why there is no score."""
    classes, column = head_classes(run.multi_color)[attribute], ATTRIBUTE_NAMES.index(attribute)
    counts, learned = (class_counts(codes[:, column], len(classes)) for codes in (labels, train))
    absent = [word for word, count in zip(classes, counts, strict=True) if not count]
    unseen = [word for word, count, seen in zip(classes, counts, learned, strict=True) if count and not seen]
    present = len(classes) - len(absent)
    if not learned.any():
        note = "no known label among the trained identities: no head"
    elif not counts.any():
        note = "no known label in this set"
    else:
        left_out = ", so not in macro F1" if len(unseen) < present else ""  # where nothing else is there, macro F1 is theirs: 0
        note = f"never seen in training{left_out}: {'; '.join(unseen)}" if unseen else ""
    return {"n": str(counts.sum()), "n_classes": str(present), "n_absent": str(len(absent)), "absent": "; ".join(absent), "note": note}


def _about_all(models: Models) -> str:
    """How many attributes the mean is over, where it is not all of them."""
    scored = {name for seeds in models.values() for scores in seeds.values() for name in ATTRIBUTE_NAMES if scores[name] is not None}
    return "" if len(scored) == len(ATTRIBUTE_NAMES) else f"mean of {len(scored)} attributes"
