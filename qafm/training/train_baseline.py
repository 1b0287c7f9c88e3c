"""Stage 5: the Bag-of-Tricks baseline of the branches' own backbone: what one network, and two of them, reach without attributes, Q and fusion."""

from pathlib import Path
from typing import Literal, TypeAlias

from qafm.config.baseline import BaselineConfig
from qafm.config.runtime import RuntimeConfig
from qafm.training.stage import TrainingOutputs
from qafm.training.train_bag_of_tricks import train_bag_of_tricks

Twin: TypeAlias = Literal["a", "b"]


def train_baseline(
    twin: Twin, images: Path, extractor: Path | None, config: BaselineConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs
) -> None:
    """Train one of two baselines that differ in their draws alone: the second one tells what any second network would add.

    Args:
        twin: "a" or "b".
        images: images.parquet.
        extractor: weights of stage 3, for `backbone.init: extractor`.
        config: backbone, schedule, batch, losses.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (`trunk.*`, `neck.*`) and learning curve go.

    Raises:
        InputError: no training image, or first weights that cannot be had.
    """
    train_bag_of_tricks(f"train_baseline_{twin}", images, extractor, config.backbone, config.training, runtime, seed, outputs)
