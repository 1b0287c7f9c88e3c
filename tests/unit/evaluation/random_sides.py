"""Sides of a search with random descriptors."""

import numpy as np

from qafm.evaluation.fuse import unit_rows
from qafm.evaluation.load_descriptors import DescriptorSide
from qafm.evaluation.ranking import Labels


def side(rng: np.random.Generator, pid: list[int], camid: list[int], dim: int, names: list[str] | None = None) -> DescriptorSide:
    """Images of these people and cameras, with names of their own unless `names` are given."""
    image_id = [f"{rng.integers(1 << 40)}" for _ in pid] if names is None else names
    labels = Labels(np.array(pid, np.int32), np.array(camid, np.int16), np.array(image_id))
    return DescriptorSide(labels, np.zeros(len(pid), bool), unit_rows(rng.standard_normal((len(pid), dim)).astype(np.float32)))


def other_view(rng: np.random.Generator, of: DescriptorSide, dim: int) -> DescriptorSide:
    """The same images by another descriptor."""
    return DescriptorSide(of.labels, of.distractor, unit_rows(rng.standard_normal((len(of), dim)).astype(np.float32)))
