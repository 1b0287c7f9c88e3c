"""The last stage: a trained model as one folder that works without the run it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qafm.bundles.bundle_files import CALIBRATION, CONFIG, EXTRACTOR, MODEL, weight_files
from qafm.bundles.describe_training import describe_training
from qafm.bundles.stored_weights import stored_weights, weights_digest, without_stripes
from qafm.config.base import Settings
from qafm.config.bundle import BundleConfig, BundledMetrics, DatasetKind, Dtype, MeasuredAttribute, QReference
from qafm.config.fusion import FusedModelConfig
from qafm.config.q_network import QNetwork
from qafm.errors import reading
from qafm.models.weights import load_weights, save_weights
from qafm.runtime.files import file_sha256, read_json, write_json
from qafm.tables.calibration import read_calibration_file
from qafm.tables.csv_rows import read_rows

DISTRIBUTION = "qafm-reid"


@dataclass(frozen=True)
class BundleSources:
    """What a bundle is made of.

    Args:
        images: images.parquet.
        summary: quality.json.
        model: the trained fusion.
        extractor: the network behind Q; None where Q was read from a file.
        rows: row of Table 4 -> its artifact; what is measured of it is quoted.
        attributes: attributes.csv of the fusion; None without attributes.
        calibration: calibration.json, copied as it is.
    """

    images: Path
    summary: Path
    model: Path
    extractor: Path | None
    rows: Mapping[str, Path]
    attributes: Path | None
    calibration: Path


@dataclass(frozen=True)
class BundleSettings:
    """What the weights belong to: slices of the run's configuration."""

    name: str
    kind: DatasetKind
    dtype: Dtype
    model: FusedModelConfig
    q: QNetwork


def bundle_model(sources: BundleSources, settings: BundleSettings, out: Path) -> None:
    """Write the weights without what only training needs, the calibration, and bundle.json last.

    Args:
        sources: files of the run.
        settings: what they were made with.
        out: bundle.json; the weights lie beside it.

    Raises:
        InputError: a source is missing or damaged.
    """
    folder = out.parent
    model = settings.model.model_copy(update={"architecture": without_stripes(settings.model.architecture)})
    _store(sources.model, folder / MODEL, settings.dtype, _plain(model))
    if sources.extractor is not None:
        _store(sources.extractor, folder / EXTRACTOR, settings.dtype, _plain(settings.q))
    write_json(folder / CALIBRATION, read_calibration_file(sources.calibration).model_dump(mode="json"))
    config = BundleConfig(
        name=settings.name,
        qafm=version(DISTRIBUTION),
        digest="0" * 64,
        calibration=file_sha256(folder / CALIBRATION),
        dtype=settings.dtype,
        architecture=model.architecture,
        head=model.head,
        fixed_weight=model.fixed_weight,
        extractor=None if sources.extractor is None else settings.q.extractor,
        perturb=settings.q.perturb,
        quality=settings.q.quality,
        reference=_reference(sources.summary),
        trained_on=describe_training(sources.images, settings.kind),
        measured={row: _measured(path) for row, path in sources.rows.items()},
        measured_attributes={} if sources.attributes is None else _measured_attributes(sources.attributes),
    )
    digest = weights_digest(weight_files(folder, config))
    write_json(folder / CONFIG, _plain(config.model_copy(update={"digest": digest})))


def _plain(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def _store(source: Path, target: Path, dtype: Dtype, header: dict[str, Any]) -> None:
    tensors, _ = load_weights(source)
    save_weights(target, stored_weights(tensors, dtype), header)


def _reference(summary: Path) -> QReference:
    with reading(summary, "holds no reference of Q"):
        found = read_json(summary)["reference"]
        return QReference(**{name: found[name] for name in QReference.model_fields})


def _measured(row: Path) -> BundledMetrics:
    with reading(row, "holds no rank1 and mAP of the standard gallery"):
        found = read_json(row)["galleries"]["standard"]
        return BundledMetrics(rank1=found["metrics"]["rank1"], mAP=found["metrics"]["mAP"], n_queries=found["n_queries"])


def _measured_attributes(scores: Path) -> dict[str, MeasuredAttribute]:
    """What attributes.csv says of the gallery; an attribute without a known label is left out."""
    rows = [row for row in read_rows(scores, ("set", "attribute", "accuracy", "majority")) if row["set"] == "gallery" and row["accuracy"]]
    return {row["attribute"]: MeasuredAttribute(accuracy=float(row["accuracy"]), majority=float(row["majority"]) if row["majority"] else None) for row in rows}
