"""A bundle's networks, ready to be used."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from qafm.bundles.bundle_files import CALIBRATION, CONFIG, EXTRACTOR, MODEL, read_bundle_config, weight_files
from qafm.bundles.stored_weights import weights_digest
from qafm.config.base import Settings, first_problem
from qafm.config.bundle import BundleConfig
from qafm.errors import InputError, reading
from qafm.features.embed_images import load_qafm
from qafm.features.load_baseline import load_baseline
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import load_provenance
from qafm.runtime.files import file_sha256


@dataclass(frozen=True)
class Bundle:
    """A trained model in memory.

    Args:
        folder: where it was read from.
        config: its bundle.json.
        model: both branches, head and weight, in eval mode, float32 on the CPU; its identity classifiers are empty.
        extractor: the network behind Q; None where Q was read from a file.
    """

    folder: Path
    config: BundleConfig
    model: Qafm
    extractor: ReidBaseline | None


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle, whole and as it was written.

    Args:
        folder: what `find_bundle` found.

    Raises:
        InputError: a file is missing or damaged, is not the one that bundle.json was written with, or is of a newer format; or bundle.json has other settings
            of the networks and of Q than the weights were stored with.
    """
    config = read_bundle_config(folder)
    _check_whole(folder, config)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")  # the empty classifiers
        model = load_qafm(folder / MODEL, config.model())
        extractor = None if config.extractor is None else load_baseline(folder / EXTRACTOR, config.extractor)
    return Bundle(folder, config, model, extractor)


def _check_whole(folder: Path, config: BundleConfig) -> None:
    """Weights, their settings and the calibration are those that bundle.json was written with: one digest, one descriptor of an image."""
    digest = weights_digest(weight_files(folder, config))
    if digest != config.digest:
        raise InputError(f"{folder}: the weights are not those that {CONFIG} was written with (digest {digest[:12]}, expected {config.digest[:12]})")
    _check_settings(folder / MODEL, config.model())
    if (network := config.q_network()) is not None:
        _check_settings(folder / EXTRACTOR, network)
    if config.calibration is not None:
        with reading(folder / CALIBRATION, "is not the calibration of this bundle"):
            found = file_sha256(folder / CALIBRATION)
        if found != config.calibration:
            raise InputError(f"{folder / CALIBRATION}: is not the one that {CONFIG} was written with")


def _check_settings(weights: Path, expected: Settings) -> None:
    """The header of the weights holds what bundle.json says."""
    try:
        stored = type(expected).model_validate(load_provenance(weights))
    except ValidationError as error:
        raise InputError(f"{weights}: its header holds no settings of this network ({first_problem(error)})") from None
    if stored != expected:
        name = next(name for name in type(expected).model_fields if getattr(stored, name) != getattr(expected, name))
        raise InputError(f"{weights.parent / CONFIG}: {name}: differs from what {weights.name} was stored with; descriptors of the same model would differ")
