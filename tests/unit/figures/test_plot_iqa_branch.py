from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.figures import StyleConfig
from qafm.config.fusion import ArchitectureConfig, TrainFusionConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.quality import QualityConfig
from qafm.errors import InputError
from qafm.figures.drawing.caption import read_caption
from qafm.figures.iqa_diagram import distance_picture, draw_iqa_branch, pair_count
from qafm.figures.model_description import read_description
from qafm.figures.plot_iqa_branch import choose_example, plot_iqa_branch
from qafm.models.describe_model import describe_model
from qafm.perturbations.catalog import variant_families
from qafm.perturbations.stack import perturb as perturb_image
from qafm.tables.parquet import write_parquet

FEW = PerturbConfig(light_offsets=(-90,), blur_sigmas_px=(), occlusion_sizes=(), background_scales=(1.0,), gaussian_sigma=None, salt_pepper=None, seed=3)
REFERENCE = QualityConfig(mode="reference", normalize="none")


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.json"
    small = BackboneConfig(name="resnet10", height=64, width=32)
    apn = ApnConfig(mfpm_channels=4, decoder_channels=(4,), lam_channels=(4, 4), embedding_dim=4)
    apan = ApanConfig(pafm_channels=2, step_channels=2, hidden_channels=2, embedding_dim=4)
    extractor = BackboneConfig(name="resnet50", height=384, width=128)
    describe_model(ArchitectureConfig(backbone=small, apn=apn, apan=apan), TrainFusionConfig(), extractor, 5, path)
    return path


def pixels(height: int = 64, width: int = 32) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def images(folder: Path, rows: list[tuple[str, str, bool]]) -> Path:
    """images.parquet of these (image_id, split, junk), and a picture of noise for each."""
    paths = []
    for number, (name, _, _) in enumerate(rows):
        path = folder / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels(40 + number, 20))
        paths.append(str(path))
        assert name
    names, splits, junk = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    columns = [pa.array(names, pa.string()), pa.array(paths, pa.string()), pa.array(splits, pa.string()), pa.array(junk, pa.bool_())]
    write_parquet(folder / "images.parquet", pa.table(columns, names=["image_id", "path", "split", "junk"]))
    return folder / "images.parquet"


ROWS = [("gallery/1", "gallery", False), ("query/0", "query", True), ("query/2", "query", False), ("query/1", "query", False), ("train/1", "train", False)]


def test_the_example_follows_the_rule(tmp_path: Path) -> None:
    source = images(tmp_path, ROWS)
    example = choose_example(source)
    assert (example.image_id, example.pixels.shape, example.rule) == ("query/1", (43, 20, 3), "the first query by name")
    without = choose_example(images(tmp_path / "none", [row for row in ROWS if row[1] != "query"]))
    assert without.image_id == "gallery/1" and "no query" in without.rule


def test_bad_input_is_told(tmp_path: Path, description: Path) -> None:
    source = images(tmp_path, ROWS)
    with pytest.raises(InputError, match=r"images\.parquet: has no image to show"):
        choose_example(images(tmp_path / "empty", []))
    (tmp_path / "3.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"3\.png: the file is empty"):
        plot_iqa_branch(description, source, PerturbConfig(), QualityConfig(), "run", StyleConfig(), [tmp_path / "figure.png"])
    with pytest.raises(InputError, match=r"missing\.json: cannot be read"):
        plot_iqa_branch(tmp_path / "missing.json", source, PerturbConfig(), QualityConfig(), "run", StyleConfig(), [tmp_path / "figure.png"])
    assert not (tmp_path / "figure.png").exists()


@pytest.mark.parametrize("config", [PerturbConfig(), FEW])
def test_the_pictures_are_the_projects_own_perturbations(config: PerturbConfig, description: Path) -> None:
    image = pixels()
    figure = draw_iqa_branch(read_description(description), image, "query/1", config, QualityConfig(), StyleConfig())
    shown = [np.asarray(drawn.get_array()) for drawn in figure.axes[0].images]
    stack = perturb_image(image, "query/1", config)
    assert len(shown) == len(stack) + 1
    for drawn, expected in zip(shown, stack, strict=False):
        np.testing.assert_array_equal(drawn, expected)
    np.testing.assert_array_equal(shown[-1], distance_picture(variant_families(config), QualityConfig()))


def said(description: Path, **settings: Any) -> list[str]:
    arguments = {"perturb": PerturbConfig(), "quality": QualityConfig(), "style": StyleConfig()} | settings
    figure = draw_iqa_branch(read_description(description), pixels(), "a", **arguments)
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_figure_says_the_numbers(description: Path) -> None:
    texts = said(description)
    for text in ("35 images", "35 vectors, 2048-d", "L2-normalised", "595 distances", "of all pairs", "3×384×128", "ResNet-50", "23.5 M par.", "Q(I)"):
        assert text in texts, text
    assert any("N=35" in text and text.startswith("Eq. 1") for text in texts)
    assert [texts.index(name) for name in ("original", "light", "blur", "occlusion", "background", "noise")] == sorted(
        texts.index(name) for name in ("original", "light", "blur", "occlusion", "background", "noise")
    )
    texts = said(description, perturb=FEW, quality=REFERENCE)
    for text in ("7 vectors, 2048-d", "as they are", "6 distances", "to the original"):
        assert text in texts, text
    assert "blur" not in texts and not any(text.startswith("Eq. 1") for text in texts)


def test_numbers_stand_above_what_they_count(description: Path) -> None:
    axes = draw_iqa_branch(read_description(description), pixels(), "a", PerturbConfig(), QualityConfig(), StyleConfig()).axes[0]
    left, right, bottom, top = axes.images[-1].get_extent()  # the distances
    place = {text.get_text(): text.get_position() for text in axes.texts}
    for text in ("595 distances", "of all pairs"):
        assert place[text][0] == pytest.approx((left + right) / 2) and place[text][1] < top < bottom
    for text in ("35 vectors, 2048-d", "L2-normalised", "original", "noise"):
        assert place["extractor"][0] < place[text][0] < left < right < place["Q(I)"][0]


@pytest.mark.parametrize("quality", [QualityConfig(), REFERENCE])
def test_the_triangle_shows_the_pairs_that_count(quality: QualityConfig) -> None:
    families = variant_families(FEW)
    picture = distance_picture(families, quality)
    shown = {(i, j) for i, j in np.argwhere(picture[..., 3])}
    assert len(shown) == pair_count(len(families), quality)
    names = ["original", *families]
    for i in range(len(names)):
        for j in range(len(names)):
            counts = j < i and (j == 0 or quality.mode == "all_pairs")
            assert ((i, j) in shown) == counts
    if quality.mode == "all_pairs":
        colors = {kind: {tuple(picture[i, j]) for i, j in shown if kind_of(names, i, j) == kind} for kind in ("original", "within", "across")}
        assert len(colors["original"]) == len(colors["across"]) == 1
        assert not colors["original"] & colors["within"] and not colors["across"] & (colors["within"] | colors["original"])


def kind_of(names: list[str], i: int, j: int) -> str:
    return "original" if 0 in (i, j) else "within" if names[i] == names[j] else "across"


def test_pair_counts() -> None:
    assert pair_count(34, QualityConfig()) == 595 and pair_count(34, REFERENCE) == 34


@pytest.mark.parametrize("shape", [(128, 64), (60, 160), (300, 30), (1, 1)])
@pytest.mark.parametrize("width", [2, 4, 6.4])
@pytest.mark.parametrize("config", [PerturbConfig(), FEW])
def test_no_text_is_cut_or_overlaps(shape: tuple[int, int], width: float, config: PerturbConfig, description: Path) -> None:
    figure = draw_iqa_branch(read_description(description), pixels(*shape), "a", config, QualityConfig(), StyleConfig(width_in=width))
    renderer, page = FigureCanvasAgg(figure).get_renderer(), figure.bbox
    assert figure.get_size_inches()[0] == pytest.approx(max(width, 3.8))
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.axes[0].texts]
    for i, (text, box) in enumerate(boxes):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text
        for other, second in boxes[:i]:
            overlap_x, overlap_y = min(box.x1, second.x1) - max(box.x0, second.x0), min(box.y1, second.y1) - max(box.y0, second.y0)
            assert overlap_x <= 0 or overlap_y <= 0.03 * figure.dpi, (text, other)
    for drawn in figure.axes[0].images:
        left, right, bottom, top = drawn.get_extent()
        assert 0 <= left < right <= page.width / figure.dpi and 0 <= top < bottom <= page.height / figure.dpi


def test_every_format_is_written_and_equal_input_gives_equal_bytes(tmp_path: Path, description: Path) -> None:
    source = images(tmp_path, ROWS)
    kinds = ("png", "svg", "pdf", "rst")
    for name in ("one", "two"):
        plot_iqa_branch(
            description, source, PerturbConfig(), QualityConfig(), "a run, r10", StyleConfig(dpi=60), [tmp_path / f"{name}.{kind}" for kind in kinds]
        )
    for kind in kinds:
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    caption = read_caption(tmp_path / "one.rst")
    for text in ("a run, r10", "query/1 (the first query by name; 20 x 43 pixels)", "34 perturbations", "4 light, 3 blur, 16 occlusion, 8 background, 3 noise"):
        assert text in caption, text
    assert "all 595 pairs (Eq. 1)" in caption and "23,508,032 parameters" in caption and "384 x 128" in caption and "2048 dimensions" in caption


def test_the_caption_follows_the_settings(tmp_path: Path, description: Path) -> None:
    source, out = images(tmp_path, ROWS), [tmp_path / "figure.rst"]
    plot_iqa_branch(description, source, FEW, REFERENCE, "run", StyleConfig(), out)
    caption = read_caption(out[0])
    assert "the 6 pairs with the original (section V)" in caption and "vectors as they are" in caption and "the first query by name" in caption
    assert "1 light, 4 background, 1 noise" in caption and "published" not in caption
    plot_iqa_branch(description, source, FEW, QualityConfig(source="published", published="q.csv"), "run", StyleConfig(), out)
    assert "computed elsewhere and read from a file" in read_caption(out[0])
