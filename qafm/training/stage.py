"""What the three stages that train one network alone have in common: data in, weights and learning curve out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.training import AugmentConfig, ScheduleConfig
from qafm.images.image_set import ImageSet, load_image_set, select_rows
from qafm.models.weights import save_weights
from qafm.runtime.files import whole_file
from qafm.runtime.resume import ResumeState, resume_key
from qafm.training.augment import augment as augment_batch
from qafm.training.loop import Losses, Task, train
from qafm.training.schedule import build_adam


@dataclass(frozen=True)
class TrainingOutputs:
    """Where a training stage writes.

    Attributes:
        weights: safetensors file.
        history: CSV, one row per epoch.
        resume: state between epochs, outside every declared output.
        provenance: config, seed and code digest; stored in the header of `weights`, with the machines that trained.
    """

    weights: Path
    history: Path
    resume: ResumeState
    provenance: dict[str, Any]

    @classmethod
    def keyed(cls, weights: str, history: str, settings: dict[str, Any], inputs: Iterable[str]) -> "TrainingOutputs":
        """Outputs whose resume state is good for these settings (config, seed, code digest) and input contents only.

        Args:
            weights: path of the weights; the state lies in a hidden folder beside it.
            history: path of the learning curve.
            settings: all that the result depends on beside the inputs; goes into the header of the weights.
            inputs: all input files.
        """
        folder = Path(weights).parent / ".resume"
        return cls(Path(weights), Path(history), ResumeState(folder, resume_key(settings, [Path(path) for path in inputs])), settings)


class TrainData:
    """The train images that are not held out, on the device, ready to be augmented batch by batch.

    Args:
        images: images.parquet.
        backbone: gives the input size.
        augment: training augmentation.
        device: where pixels and labels are kept.

    Raises:
        InputError: there is no such image, or one cannot be read.
    """

    def __init__(self, images: Path, backbone: BackboneConfig, augment: AugmentConfig, device: torch.device) -> None:
        self.images: ImageSet = load_image_set(select_rows(images, split="train", fold="fit"), backbone.height, backbone.width)
        self.pixels = self.images.pixels.to(device)
        self.labels = self.images.labels.to(device)
        self.attributes = self.images.attributes.to(device)
        self._augment = augment

    def augmented(self, batch: torch.Tensor) -> torch.Tensor:
        """Augmented and normalised float32 [B, 3, H, W] of the images with indices `batch`."""
        return augment_batch(self.pixels[batch], self._augment)


def train_alone(
    name: str,
    seed: int,
    model: torch.nn.Module,
    loss: Callable[[torch.Tensor], Losses],
    data: TrainData,
    config: ScheduleConfig,
    outputs: TrainingOutputs,
) -> None:
    """Train all of `model` on `loss` (indices of a batch, on the device -> named losses) and write the outputs."""
    task = Task(
        name=name,
        seed=seed,
        model=model,
        optimizer=build_adam([{"params": model.parameters()}], config.optimizer),
        loss=loss,
        train_mode=lambda _epoch: model.train(),
    )
    curve = train(task, data.labels, epochs=config.epochs, batch=config.batch, schedule=config.optimizer, resume=outputs.resume)
    write_outputs(model, curve, outputs)


def write_outputs(model: torch.nn.Module, curve: list[dict[str, float]], outputs: TrainingOutputs) -> None:
    """Write the learning curve (six significant digits) and the weights; the resume state has served its purpose then."""
    with whole_file(outputs.history) as temporary:
        pd.DataFrame(curve).to_csv(temporary, index=False, float_format="%.6g")
    save_weights(outputs.weights, model.state_dict(), outputs.provenance | {"machines": outputs.resume.machines})
    outputs.resume.clear()
