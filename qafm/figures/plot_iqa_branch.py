"""Figure 3: the quality branch, from an image of the run and its perturbations to Q(I)."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from qafm.config.figures import StyleConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.figures.drawing.style import save_figure
from qafm.figures.iqa_diagram import draw_iqa_branch, pair_count
from qafm.figures.model_description import ModelDescription, network_name, read_description
from qafm.perturbations.catalog import variant_families
from qafm.tables.parquet import read_parquet


class Example(NamedTuple):
    """The image that the figure shows."""

    image_id: str
    pixels: NDArray[np.uint8]  # uint8 [H, W, 3]
    rule: str  # how it was chosen


def plot_iqa_branch(
    description: Path,
    images: Path,
    perturb: PerturbConfig,
    quality: QualityConfig,
    run: str,
    style: StyleConfig,
    paths: Sequence[Path],
) -> None:
    """Draw one image, all its perturbations by family, the extractor, the feature vectors, their distances and Q(I).

    Args:
        description: architecture.json of the run: the extractor's shapes and parameters.
        images: images.parquet of the run.
        perturb: stage 2; the pictures are made by the same code and seed as the features were.
        quality: how Q is computed.
        run: what the run is called in the caption.
        style: size and formats.
        paths: files to write, one per format, and the caption.

    Raises:
        InputError: an input is missing or damaged, or there is no such image.
    """
    model, example = read_description(description), choose_example(images)
    figure = draw_iqa_branch(model, example.pixels, example.image_id, perturb, quality, style)
    save_figure(figure, _caption(model, example, perturb, quality, run), paths)


def choose_example(images: Path) -> Example:
    """Read the image to show: the first query by image_id, or the first image where there is no query.

    Raises:
        InputError: there is no image, or its file cannot be read.
    """
    table = read_parquet(images, columns=["image_id", "path", "split", "junk"])
    rows = table.filter(~pc.field("junk"))
    queries = rows.filter(pc.field("split") == "query")
    rows, rule = (queries, "the first query by name") if queries.num_rows else (rows, "the first image by name, as there is no query")
    if not rows.num_rows:
        raise InputError(f"{images}: has no image to show")
    first = rows.sort_by("image_id").slice(0, 1).to_pylist()[0]
    return Example(first["image_id"], read_image(Path(first["path"])), rule)


def _caption(model: ModelDescription, example: Example, perturb: PerturbConfig, quality: QualityConfig, run: str) -> str:
    families = variant_families(perturb)
    counts = ", ".join(f"{count} {family}" for family, count in Counter(families).items())
    height, width = example.pixels.shape[:2]
    input_height, input_width = model.inputs["extractor"][1:]
    variants, pairs = len(families), pair_count(len(families), quality)
    parameters = model.parameters("extractor.trunk", "extractor.pool")
    vectors = "L2-normalised vectors" if quality.normalize == "l2" else "vectors as they are"
    which = f"all {pairs} pairs (Eq. 1)" if quality.mode == "all_pairs" else f"the {pairs} pairs with the original (section V)"
    taken = "" if quality.source == "compute" else " In this run Q(I) itself was computed elsewhere and read from a file; the figure shows how it is defined."
    return (
        f"The quality branch ({run}): image {example.image_id} ({example.rule}; {width} x {height} pixels) and its {variants} perturbations, made by the code "
        f"and with the seed that made the features: {counts}. Each perturbation starts from the original; the labels give its strength. Original and "
        f"perturbations, resized to {input_height} x {input_width}, go through the extractor, a {network_name(model.config['extractor']['name'])} of "
        f"{parameters:,} parameters whose pooled features have {model.input('extractor.neck.norm')[0]} dimensions. Q(I) is the mean "
        f"Euclidean distance of the {vectors} over {which}: low where perturbing the image hardly moves its features (stable, good quality), high where it "
        f"does. The triangle shows which pairs count: those with the original in colour, those within a family darker, those across families lighter; its "
        f"shades are no values.{taken} In the paper this is Figure 3, lower score = higher quality."
    )
