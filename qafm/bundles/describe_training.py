"""What a model was trained on, counted in images.parquet and said in words."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from qafm.config.bundle import DatasetKind, TrainingSet
from qafm.tables.attributes import ATTRIBUTES, Attribute
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import read_parquet

WORDS: dict[DatasetKind, str] = {
    "synthetic": "synthetic people, drawn by this project's generator; no picture of a real person",
    "market1501": "Market-1501 (Zheng et al. 2015): real people on a campus, to be used for research only",
    "folders": "the images of its own folders",
}


def describe_training(images: Path, kind: DatasetKind) -> TrainingSet:
    """Count the train images that are not held out.

    Args:
        images: images.parquet.
        kind: dataset.kind of the run.

    Raises:
        InputError: the table cannot be read.
    """
    rows = read_parquet(images, IMAGES_SCHEMA).filter((pc.field("fold") == "fit") & ~pc.field("junk"))
    return TrainingSet(
        kind=kind,
        words=WORDS[kind],
        images=rows.num_rows,
        ids=len(rows["pid"].unique()),
        cameras=len(rows["camid"].drop_null().unique()),
        attributes={attribute.name: _classes(rows, attribute) for attribute in ATTRIBUTES},
    )


def _classes(rows: pa.Table, attribute: Attribute) -> dict[str, int]:
    """How many images are labelled with each class."""
    codes = rows[attribute.name].drop_null().to_pylist()
    return {name: codes.count(code) for code, name in enumerate(attribute.classes)}
