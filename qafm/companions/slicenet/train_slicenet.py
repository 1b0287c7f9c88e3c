"""Train BigNet, SliceNet1 or SliceNet2 as COL780's report does: Adam at a constant rate, cross-entropy, shuffled batches."""

from pathlib import Path

import pyarrow.compute as pc
import torch
from torch.nn import functional

from qafm.companions.slicenet.describe_images import describe_images
from qafm.companions.slicenet.pixel_statistics import pixel_statistics
from qafm.companions.slicenet.protocols import measure_protocols
from qafm.companions.slicenet.sliced_net import SlicedNet
from qafm.config.runtime import RuntimeConfig
from qafm.config.sliced_net import NetworkConfig, TrainSlicenetConfig
from qafm.config.training import OptimizerConfig
from qafm.evaluation.join_labels import join_labels
from qafm.evaluation.ranking import dot_similarity
from qafm.images.image_set import load_image_set, select_rows
from qafm.runtime.torch_setup import autocast, place, prepare_torch, seed_everything
from qafm.training.batches import several_identities, shuffled_batches
from qafm.training.loop import Losses, Plan, Task, train_plan
from qafm.training.schedule import build_adam
from qafm.training.stage import TrainingOutputs, write_outputs


class PeriodicEvaluation:
    """Query and gallery, looked at while a model is trained.

    Nothing is chosen by it here: the report took the best epoch on these very images, and the table shows what that is worth.

    Args:
        images: images.parquet.
        network: gives the input size.

    Raises:
        InputError: there is no query or no gallery image, or one cannot be read.
    """

    def __init__(self, images: Path, network: NetworkConfig) -> None:
        rows = select_rows(images)
        rows = rows.filter(pc.field("split") != "train")
        joined = join_labels(images, images, rows.select(["image_id", "split"]))
        self.query, self.gallery = joined.rows_of("query"), joined.rows_of("gallery")
        self.labels = joined.labels
        self.pixels = load_image_set(rows, network.height, network.width).pixels

    def measure(self, model: SlicedNet, device: torch.device, runtime: RuntimeConfig) -> dict[str, float]:
        """Metrics of all protocols, named {protocol}_{metric}; what cannot be measured is left out."""
        vectors = describe_images(model, self.pixels, device, runtime)
        similarity = dot_similarity(vectors[self.query], vectors[self.gallery])
        found = measure_protocols(self.labels.take(self.query), self.labels.take(self.gallery), similarity)
        return {f"{protocol}_{name}": value for protocol, metrics in found.items() if metrics for name, value in metrics.items() if name != "n_queries"}


def train_slicenet(images: Path, config: TrainSlicenetConfig, runtime: RuntimeConfig, seed: int, outputs: TrainingOutputs) -> None:
    """Train on the train identities that are not held out.

    The learning curve has per epoch the cross-entropy, kappa and the number of images seen so far, and every `check_every` epochs, and behind the last one,
    the metrics on query and gallery.

    Args:
        images: images.parquet.
        config: network, copies, epochs, batches, learning rate.
        runtime: threads, device, precision.
        seed: seed of this run.
        outputs: where weights (with the normalisation of the train images: `mean`, `std`) and learning curve go.

    Raises:
        InputError: an image cannot be read, or there are fewer than two train identities, or no query or gallery image.
    """
    device = prepare_torch(runtime)
    seed_everything("train_slicenet", seed)
    network = config.network
    data = load_image_set(select_rows(images, split="train", fold="fit"), network.height, network.width)
    several_identities(data.labels.numpy())
    look = PeriodicEvaluation(images, network)
    model = SlicedNet(network, data.num_ids)
    model.mean, model.std = pixel_statistics(data.pixels)
    model = place(model, device)
    pixels = torch.cat([data.pixels, data.pixels.flip(3)] if config.flip else [data.pixels]).to(device)
    labels = data.labels.repeat(2 if config.flip else 1).to(device)

    def loss(batch: torch.Tensor) -> Losses:
        with autocast(device, runtime):
            output = model(pixels[batch])
        return {"cross_entropy": functional.cross_entropy(output.logits.float(), labels[batch])}

    def after_epoch(epoch: int) -> dict[str, float]:
        done = epoch + 1
        report = {"kappa": model.classifier.kappa.item()}
        return report | (look.measure(model, device, runtime) if done % config.check_every == 0 or done == config.epochs else {})

    task = Task(
        name="train_slicenet",
        seed=seed,
        model=model,
        optimizer=build_adam([{"params": model.parameters()}], OptimizerConfig(lr=config.lr, weight_decay=0, warmup_epochs=0)),
        loss=loss,
        train_mode=lambda _epoch: model.train(),
        after_epoch=after_epoch,
    )
    plan = Plan(config.epochs, lambda rng: shuffled_batches(len(labels), config.batch_size, rng), lambda _epoch, _step, _steps: 1.0)
    curve = train_plan(task, plan, device, outputs.resume)
    write_outputs(model, curve, outputs)
