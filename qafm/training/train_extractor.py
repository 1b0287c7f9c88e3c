"""Stage 3: train the ReID extractor whose features give Q(I) ("pretrained on Market-1501", paper section III-C)."""

from pathlib import Path

from qafm.config.features import ExtractorConfig
from qafm.config.runtime import RuntimeConfig
from qafm.training.stage import TrainingOutputs
from qafm.training.train_bag_of_tricks import train_bag_of_tricks


def train_extractor(images: Path, config: ExtractorConfig, runtime: RuntimeConfig, outputs: TrainingOutputs) -> None:
    """Train the Bag-of-Tricks baseline on the train identities that are not held out.

    Args:
        images: images.parquet.
        config: backbone, schedule, batch, losses.
        runtime: threads, device, precision.
        outputs: where weights (`trunk.*`, `neck.*`) and learning curve go.

    Raises:
        InputError: no training image, or first weights that cannot be had.
    """
    train_bag_of_tricks("train_extractor", images, None, config.backbone, config.training, runtime, config.seed, outputs)
