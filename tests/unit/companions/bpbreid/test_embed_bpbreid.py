"""What is embedded of which images in which view, and the agreement of maps and masks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from qafm.companions.bpbreid.attention import visibility
from qafm.companions.bpbreid.embed_bpbreid import PartOutputs, compared_names, embed_bpbreid, load_part_model
from qafm.companions.bpbreid.embed_views import embed_views
from qafm.companions.bpbreid.load_parts import load_parts
from qafm.companions.bpbreid.part_labels import enlarge_maps, map_labels, read_part_maps
from qafm.companions.bpbreid.part_model import PartReid
from qafm.companions.bpbreid.part_tables import MAPS_SCHEMA
from qafm.companions.bpbreid.views import VIEWS, take_view
from qafm.config.backbone import BackboneConfig
from qafm.config.bpbreid import TrainBpbreidConfig
from qafm.datasets.read_image import read_image
from qafm.errors import InputError
from qafm.evaluation.load_descriptors import load_descriptors
from qafm.images.network_input import normalize, to_input
from qafm.models.reid_baseline import ReidBaseline
from qafm.models.weights import save_weights
from qafm.tables.parquet import read_parquet
from tests.unit.companions.bpbreid.conftest import RUNTIME

IDS = 3


def outputs(folder: Path) -> PartOutputs:
    return PartOutputs({view: folder / f"{view}.parquet" for view in VIEWS}, *(folder / name for name in ("d.parquet", "maps.parquet", "parts.json")))


@pytest.fixture
def model(config: TrainBpbreidConfig, rough) -> PartReid:
    model = rough(PartReid(config, "masks", IDS))
    torch.nn.init.normal_(model.attention.scores.weight, std=0.5)
    return model.eval()


@pytest.fixture
def weights(model: PartReid, tmp_path: Path) -> Path:
    save_weights(tmp_path / "model.safetensors", model.state_dict(), {})
    return tmp_path / "model.safetensors"


def rows(images: Path, *splits: str) -> list[dict]:
    return [row for row in read_parquet(images).to_pylist() if row["split"] in splits and not row["junk"]]


def test_each_view_holds_what_the_model_makes_of_it(images: Path, masks: Path, weights: Path, model: PartReid, config: TrainBpbreidConfig) -> None:
    files = outputs(images.parent / "out")
    embed_bpbreid(images, weights, masks, "masks", config, RUNTIME, "stretched", files)
    for view in VIEWS:
        table = read_parquet(files.views[view]).to_pylist()
        expected = rows(images, "query", *(["gallery"] if view in ("full", "lower") else []))
        assert [row["image_id"] for row in table] == [row["image_id"] for row in expected]
        for row, source in list(zip(table, expected, strict=True))[:3]:
            pixels = to_input(take_view(read_image(Path(source["path"])), view, source["image_id"], "stretched")[None], 96, 48)
            with torch.no_grad():
                output = model(normalize(pixels))
            seen = visibility(output.maps)
            vectors = torch.cat([output.foreground.normalized[0], output.parts.vector[0].flatten()])
            np.testing.assert_allclose(row["vectors"], vectors, atol=1e-4)
            assert row["visible"] == [1, *seen.visible[0].int().tolist()]
            np.testing.assert_allclose(row["confidence"], [1, *seen.confidence[0].tolist()], atol=1e-5)
    query, _ = load_parts(images, files.views["full"], files.views["full"], foreground=True)
    assert query.vectors.shape == (6, 4, 8)
    np.testing.assert_allclose(load_descriptors(images, files.descriptors).query.descriptor, query.vectors[0], atol=1e-6)


def test_maps_and_their_agreement_with_the_masks(images: Path, masks: Path, weights: Path, model: PartReid, config: TrainBpbreidConfig) -> None:
    files = outputs(images.parent / "out")
    (masks / "gallery" / f"{len(rows(images, 'train')) + 1:03d}.npy").unlink()  # one image without masks: it counts in nothing
    embed_bpbreid(images, weights, masks, "masks", config, RUNTIME, "stretched", files)
    summary = json.loads(files.summary.read_text())
    searched = rows(images, "query", "gallery")
    stored = {row["image_id"]: row for row in read_parquet(files.maps, MAPS_SCHEMA).to_pylist()}
    confusion, visible, compared = np.zeros((6, 6), int), [], 0
    for row in searched:
        with torch.no_grad():
            maps = model(normalize(to_input(read_image(Path(row["path"]))[None], 96, 48))).maps
        found = np.frombuffer(stored[row["image_id"]]["maps"], np.uint8).reshape(5, 6, 3)
        np.testing.assert_allclose(found, 255 * maps[0, 1:], atol=0.6)
        visible.append(visibility(maps).visible[0].tolist())
        path = (masks / row["image_id"]).with_suffix(".npy")
        if path.exists():
            compared += 1
            true = map_labels(enlarge_maps(read_part_maps(path, "five_v", 96, 48)[None], 96, 48), 6, 3)[0]
            for one, other in zip(true.flatten(), maps.argmax(dim=1).flatten(), strict=True):
                confusion[one, other] += 1
    assert summary["confusion"] == confusion.tolist() and summary["with_masks"] == compared == len(searched) - 1
    np.testing.assert_allclose(summary["visible_percent"], [100, *(100 * np.mean(visible, axis=0))], atol=0.01)
    assert summary["compared"] == ["foreground", "head", "upper arms, torso", "lower arms, torso", "legs", "feet"]
    assert summary["parameters"] == sum(parameter.numel() for parameter in model.parameters())


def test_without_masks_or_with_other_stripes_there_is_no_agreement(images: Path, masks: Path, config: TrainBpbreidConfig, tmp_path: Path) -> None:
    for stripes, folder in ((5, None), (4, masks)):
        other = config.model_copy(update={"parts": config.parts.model_copy(update={"stripes": stripes})})
        save_weights(tmp_path / "s.safetensors", PartReid(other, "stripes", IDS).state_dict(), {})
        files = outputs(tmp_path / str(stripes))
        embed_bpbreid(images, tmp_path / "s.safetensors", folder, "stripes", other, RUNTIME, "filled", files)
        summary = json.loads(files.summary.read_text())
        assert summary["confusion"] is None and summary["with_masks"] == 0
        assert summary["compared"] == ["foreground", *(f"stripe {i}" for i in range(1, stripes + 1))]
        assert summary["visible_percent"] == [100.0] * (stripes + 1)


def test_what_is_compared_has_names(config: TrainBpbreidConfig) -> None:
    assert compared_names("learned", config, 5) == ["foreground", *(f"part {i}" for i in range(1, 6))]
    assert compared_names("stripe_labels", config, 2) == ["foreground", "stripe 1", "stripe 2"]
    eight = config.model_copy(update={"parts": config.parts.model_copy(update={"grouping": "eight"})})
    assert compared_names("masks", eight, 8)[1:3] == ["head", "left arm"]


def test_weights_that_do_not_fit_are_named(weights: Path, config: TrainBpbreidConfig) -> None:
    for variant, changed in (("stripes", {}), ("masks", {"dim": 9}), ("masks", {"grouping": "eight"})):
        other = config.model_copy(update={"parts": config.parts.model_copy(update=changed)})
        with pytest.raises(InputError, match=r"model\.safetensors: does not fit the configured model"):
            load_part_model(weights, variant, other)  # type: ignore[arg-type]


def test_the_baseline_has_one_embedding_that_is_always_visible(images: Path, tmp_path: Path, rough) -> None:
    backbone = BackboneConfig(name="resnet10", init="random", height=48, width=24)
    model = rough(ReidBaseline(backbone=backbone, num_ids=IDS)).eval()
    save_weights(tmp_path / "b.safetensors", model.state_dict(), {})
    files = {view: tmp_path / f"{view}.parquet" for view in VIEWS}
    embed_views(images, tmp_path / "b.safetensors", backbone, RUNTIME, "stretched", files)
    query, gallery = load_parts(images, files["occluded"], files["full"], foreground=False)  # the only embedding is never left out
    assert query.vectors.shape == (1, 4, 512) and gallery.vectors.shape == (1, 5, 512)
    assert query.visible.all() and (query.confidence == 1).all()
    source = rows(images, "query")[0]
    pixels = to_input(take_view(read_image(Path(source["path"])), "occluded", source["image_id"], "stretched")[None], 48, 24)
    with torch.no_grad():
        feature = model.neck.norm(model(normalize(pixels)).feature)[0]
    np.testing.assert_allclose(query.vectors[0, 0], feature / feature.norm(), atol=1e-5)
