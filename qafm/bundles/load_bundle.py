"""A bundle's networks, ready to be used."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from qafm.bundles.bundle_files import CONFIG, EXTRACTOR, MODEL, read_bundle_config, weight_files
from qafm.bundles.stored_weights import weights_digest
from qafm.config.bundle import BundleConfig
from qafm.features.embed_images import load_qafm
from qafm.features.load_baseline import load_baseline
from qafm.models.qafm import Qafm
from qafm.models.reid_baseline import ReidBaseline
from qafm.runtime.errors import InputError


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
        InputError: a file is missing or damaged, is not the one that bundle.json was written with, or is of a newer format.
    """
    config = read_bundle_config(folder)
    digest = weights_digest(weight_files(folder, config))
    if digest != config.digest:
        raise InputError(f"{folder}: the weights are not those that {CONFIG} was written with (digest {digest[:12]}, expected {config.digest[:12]})")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")  # the empty classifiers
        model = load_qafm(folder / MODEL, config.model())
        extractor = None if config.extractor is None else load_baseline(folder / EXTRACTOR, config.extractor)
    return Bundle(folder, config, model, extractor)
