"""One descriptor per image, whoever made it: a branch of QAFM by its own descriptor, or a system that has one only."""

from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from qafm.evaluation.fuse import ExportedHead
from qafm.evaluation.load_descriptors import Descriptors, DescriptorSide, load_descriptors
from qafm.evaluation.load_embeddings import Side, load_embeddings

Branch: TypeAlias = Literal["apn", "apan"]


class Source(NamedTuple):
    """Where descriptors come from.

    Args:
        vectors: embeddings.parquet of a QAFM, or descriptors.parquet.
        head: QAFM's exported fusion head, which knows the branches' BNNecks.
        branch: which vector of the embeddings; None where `vectors` are descriptors already.
    """

    vectors: Path
    head: Path | None = None
    branch: Branch | None = None


def load_branch(images: Path, source: Source) -> Descriptors:
    """Read the descriptors of `source` and look up every image in `images`.

    Raises:
        InputError: a bad file, or no query or gallery image in it.
    """
    if source.branch is None or source.head is None:
        return load_descriptors(images, source.vectors)
    loaded, head, branch = load_embeddings(images, source.vectors), ExportedHead.load(source.head), source.branch
    query, gallery = (branch_side(side, head, branch) for side in (loaded.query, loaded.gallery))
    return Descriptors(query, gallery, None if loaded.holdout is None else branch_side(loaded.holdout, head, branch))


def branch_side(side: Side, head: ExportedHead, branch: Branch) -> DescriptorSide:
    """The images of `side` by one branch's own descriptor."""
    vectors = head.apn_descriptor(side.v_a) if branch == "apn" else head.apan_descriptor(side.v_s)
    return DescriptorSide(side.labels, side.distractor, vectors)
