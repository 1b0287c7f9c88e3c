"""Stage 3: features of every image and its 34 variants (paper section III-C).

B images, V = 35 variants, H W native size, C feature length.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm import tqdm

from qafm.config.backbone import BackboneConfig
from qafm.config.features import ExtractConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.load_baseline import load_baseline
from qafm.images.network_input import normalize, to_input
from qafm.runtime.files import whole_file
from qafm.runtime.torch_setup import autocast, place, prepare_torch
from qafm.tables.features import features_schema
from qafm.tables.parquet import open_parquet
from qafm.tables.perturbed import PERTURBED_SCHEMA


class _Stack(NamedTuple):
    image_id: str
    variants: np.ndarray  # uint8 [V, H, W, 3]


def extract_features(perturbed: Path, weights: Path, config: BackboneConfig, extract: ExtractConfig, runtime: RuntimeConfig, out: Path) -> None:
    """Write the features of one shard.

    Args:
        perturbed: perturbed/{shard}.parquet.
        weights: the extractor's weights.
        config: the extractor's architecture and input size; pre-processing is resize and normalise, nothing random.
        extract: batch size and stored type.
        runtime: threads, device, precision.
        out: features/{shard}.parquet to write; the pooled feature before the BNNeck, not normalised.

    Raises:
        InputError: an input file is damaged or does not fit.
    """
    device = prepare_torch(runtime)
    model = place(load_baseline(weights, config), device)
    schema = features_schema(model.trunk.out_channels, extract.dtype)
    source = open_parquet(perturbed, PERTURBED_SCHEMA)
    with whole_file(out) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd", compression_level=1, use_dictionary=False) as writer:
        batches = source.iter_batches(batch_size=extract.images_per_batch)
        total = -(-source.metadata.num_rows // extract.images_per_batch)
        for batch in tqdm(batches, total=total, desc=f"features {out.stem}", unit="batch", disable=None):
            stacks = [_unpack(row) for row in batch.to_pylist()]
            pixels = torch.cat([to_input(stack.variants, config.height, config.width) for stack in stacks])
            with torch.inference_mode(), autocast(device, runtime):
                features = model(normalize(pixels.to(device))).feature.float().cpu().numpy()  # [B * V, C]
            writer.write_table(_to_table(stacks, features.astype(extract.dtype), schema))


def _unpack(row: dict) -> _Stack:
    pixels = np.frombuffer(row["variants"], np.uint8)
    return _Stack(row["image_id"], pixels.reshape(-1, row["height"], row["width"], 3).copy())


def _to_table(stacks: list[_Stack], features: np.ndarray, schema: pa.Schema) -> pa.Table:
    ids = [stack.image_id for stack in stacks for _ in range(len(stack.variants))]
    variants = np.concatenate([np.arange(len(stack.variants), dtype=np.int8) for stack in stacks])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), features.shape[1])
    return pa.table([pa.array(ids), pa.array(variants), vectors], schema=schema)
