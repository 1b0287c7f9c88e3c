"""Stage 6: v_a, v_s, Q and the visual weight of every query, gallery and held-out image.

N images, Da and Ds the lengths of v_a and v_s.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import save_file

from qafm.config.fusion import FusedModelConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.branch_vectors import branch_vectors
from qafm.images.image_set import ImageSet
from qafm.images.searched_images import load_searched
from qafm.models.bnneck import BNNeck
from qafm.models.fold_batch_norms import fold_batch_norms
from qafm.models.qafm import Qafm
from qafm.models.weight_mlp import WeightMlp
from qafm.models.weights import load_into, load_weights
from qafm.runtime.files import whole_file
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.embeddings import embeddings_schema
from qafm.tables.parquet import vector_array, write_parquet
from qafm.tables.quality import read_quality


def load_qafm(weights: Path, config: FusedModelConfig) -> Qafm:
    """The trained model in eval mode, batch norms folded.

    Raises:
        InputError: the weights cannot be read or do not fit the configuration.
    """
    tensors, _ = load_weights(weights)
    num_ids = len(tensors["head.neck.classifier.weight"]) if "head.neck.classifier.weight" in tensors else 0
    mlp = WeightMlp(mean=0.0, sd=1.0) if config.fixed_weight is None else None
    model = Qafm(config.architecture, config.head, num_ids, mlp)
    load_into(model, tensors, weights, "the configured model")
    return fold_batch_norms(model.eval())


def embed_images(images: Path, quality: Path, weights: Path, config: FusedModelConfig, runtime: RuntimeConfig, *, out: Path, head: Path) -> None:
    """Embed every query, gallery and held-out image, junk left out.

    Args:
        images: images.parquet.
        quality: quality.parquet.
        weights: the trained model.
        config: of the model.
        runtime: threads, device, precision.
        out: embeddings parquet to write.
        head: safetensors to write: the affine maps after v_a and v_s, so that the ablation needs no torch.

    Raises:
        InputError: an input is damaged or does not fit, or there is nothing to embed.
    """
    device = prepare_torch(runtime)
    model = place(load_qafm(weights, config), device)
    backbone = config.architecture.backbone
    data = load_searched(images, backbone.height, backbone.width)
    v_a, v_s = (v.cpu().numpy() for v in branch_vectors(model, data.pixels, device, runtime, shown_as="embed"))
    q = read_quality(quality, data.image_ids)
    write_parquet(out, _to_table(data, v_a, v_s, q, visual_weights(model, q, config)))
    save_head(head, model, config)


@torch.no_grad()
def visual_weights(model: Qafm, q: np.ndarray, config: FusedModelConfig) -> np.ndarray:
    """w of each image, float64 [N]; an image without Q (NaN) gets the weight of the reference mean."""
    if model.weight_mlp is None:
        return np.full(len(q), config.fixed_weight, np.float64)
    mlp = model.weight_mlp
    filled = torch.from_numpy(np.nan_to_num(q, nan=float(mlp.mean))).float().to(mlp.mean.device)
    return mlp.weight(filled).double().cpu().numpy()


def save_head(path: Path, model: Qafm, config: FusedModelConfig) -> None:
    """Write the fusion head and both branches' own BNNecks as plain affine maps (eval mode)."""
    tensors = model.head.export()
    architecture = config.architecture
    branches = (("apn", model.visual.apn.neck, architecture.apn.embedding_dim), ("apan", model.attribute.apan.neck, architecture.apan.embedding_dim))
    for name, neck, dim in branches:
        scale, shift = _affine(neck, dim)
        tensors |= {f"{name}_scale": scale, f"{name}_shift": shift}
    metadata = {"activation": config.head.activation, "normalize": str(config.head.normalize).lower()}
    with whole_file(path) as temporary:
        save_file({name: tensor.detach().float().cpu().contiguous().clone() for name, tensor in tensors.items()}, temporary, metadata=metadata)


def _affine(neck: BNNeck | None, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Batch normalisation in eval mode as scale [D] and shift [D]; the identity map for a branch without a BNNeck."""
    if neck is None:
        return torch.ones(dim), torch.zeros(dim)
    norm = neck.norm
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def _to_table(data: ImageSet, v_a: np.ndarray, v_s: np.ndarray, q: np.ndarray, w: np.ndarray) -> pa.Table:
    splits = ["holdout" if split == "train" else split for split in data.splits]
    vectors = [vector_array(v) for v in (v_a, v_s)]
    columns = [pa.array(data.image_ids), pa.array(splits), pa.array(q, from_pandas=True), pa.array(w), *vectors]
    return pa.table(columns, schema=embeddings_schema(v_a.shape[1], v_s.shape[1]))
