import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.figures import StyleConfig
from qafm.config.fusion import AlphaConfig, ArchitectureConfig, HeadConfig, TrainFusionConfig
from qafm.errors import InputError
from qafm.figures.architecture_blocks import Architecture, Flow, build_architecture
from qafm.figures.architecture_caption import architecture_caption
from qafm.figures.drawing.block_diagram import FONTS, count_text
from qafm.figures.drawing.caption import read_caption
from qafm.figures.model_description import ModelDescription, read_description
from qafm.figures.plot_architecture import draw_architecture, plot_architecture
from qafm.models.describe_model import describe_model

BACKBONE = BackboneConfig(name="resnet10", last_stride=1, height=64, width=32)
APN = ApnConfig(mfpm_channels=8, decoder_channels=(6,), lam_channels=(4, 12), embedding_dim=10)
APAN = ApanConfig(pafm_channels=6, step_channels=5, hidden_channels=4, embedding_dim=8)
BIG = BackboneConfig()


def case(apn: dict[str, Any] | None = None, apan: dict[str, Any] | None = None, backbone: BackboneConfig = BACKBONE, num_ids: int = 7, **fusion: Any) -> tuple:
    architecture = ArchitectureConfig(backbone=backbone, apn=APN.model_copy(update=apn or {}), apan=APAN.model_copy(update=apan or {}))
    return architecture, TrainFusionConfig(**{"head": HeadConfig(dim=9), **fusion}), backbone, num_ids


CASES = {
    "default": case(),
    "paper": (ArchitectureConfig(backbone=BIG, apn=ApnConfig(), apan=ApanConfig()), TrainFusionConfig(), BIG, 751),
    "coupled": case(gradients="coupled", alpha=AlphaConfig(loss="expected_loss", target="train")),
    "original": case(
        {"horizontal_stripes": 0, "vertical_stripes": 0},
        {"heads": "single", "steps": 1, "gates": False, "step_channels": 0, "identity_head": False},
        gradients="original",
        head=HeadConfig(dim=12, activation="relu", normalize=False),
    ),
    "fixed": case({"horizontal_stripes": 6}, {"heads": "single", "attribute_weight": 0.0}, num_ids=12936, alpha=AlphaConfig(fixed=0.35)),
    "fused_id": case(None, {"identity_head": False, "step_channels": 0, "attribute_weight": 0.5}, alpha=AlphaConfig(loss="fused_id")),
    "projection": case(None, {"gates": False}),
    "no_fc": case(apan={"residual": True}, backbone=BACKBONE.model_copy(update={"pooling": "gem"}), head=HeadConfig(dim=None)),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelDescription]:
    folder = tmp_path_factory.mktemp("models")
    for name, settings in CASES.items():
        describe_model(*settings, folder / f"{name}.json")
    return {name: read_description(folder / f"{name}.json") for name in CASES}


def texts(drawn: Architecture, name: str) -> list[str]:
    return [line.text for line in drawn.blocks[name].lines]


def flows_to(drawn: Architecture, name: str) -> set[Flow]:
    return {flow for flow in drawn.flows if flow.end == name}


def extents(figure: Figure) -> list[tuple[str, Any]]:
    renderer = FigureCanvasAgg(figure).get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in figure.axes[0].texts]


@pytest.mark.parametrize(("name", "dpi"), [*((name, 160) for name in CASES), ("paper", 100)])
@pytest.mark.parametrize("width", [6.4, 4])
def test_no_text_is_cut_or_overlaps(name: str, dpi: int, width: float, models: dict[str, ModelDescription]) -> None:
    figure = draw_architecture(models[name], StyleConfig(width_in=width, dpi=dpi))
    boxes = extents(figure)
    page = figure.bbox
    for i, (text, box) in enumerate(boxes):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text
        for other, second in boxes[:i]:
            overlap_x, overlap_y = min(box.x1, second.x1) - max(box.x0, second.x0), min(box.y1, second.y1) - max(box.y0, second.y0)
            assert overlap_x <= 0 or overlap_y <= 0.03 * dpi, (text, other)  # lines of a box may touch by their accents
    assert figure.get_size_inches()[0] == pytest.approx(width)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [6.4, 4])
def test_boxes_lie_apart_and_hold_their_text(name: str, width: float, models: dict[str, ModelDescription]) -> None:
    figure = draw_architecture(models[name], StyleConfig(width_in=width))
    axes = figure.axes[0]
    boxes = [patch.get_window_extent() for patch in axes.patches if isinstance(patch, FancyBboxPatch) and patch.get_linewidth() and patch.get_zorder() == 3]
    for i, box in enumerate(boxes):
        for other in boxes[:i]:
            assert min(box.x1, other.x1) <= max(box.x0, other.x0) or min(box.y1, other.y1) <= max(box.y0, other.y0)
    for text, extent in extents(figure):
        for box in boxes:
            if box.x0 < extent.x0 + extent.width / 2 < box.x1 and box.y0 < extent.y0 + extent.height / 2 < box.y1:
                assert box.x0 < extent.x0 and extent.x1 < box.x1 and box.y0 < extent.y0 and extent.y1 < box.y1, text
    for line in axes.lines:  # an arrow crosses no box: its middle points are outside of all
        points = axes.transData.transform(line.get_xydata())  # type: ignore[arg-type]
        for start, end in pairwise(points):
            for x, y in start + np.linspace(0.1, 0.9, 9)[:, None] * (end - start):
                assert not any(box.x0 + 1 < x < box.x1 - 1 and box.y0 + 1 < y < box.y1 - 1 for box in boxes)


def test_narrow_pages_flow_downward_and_none_is_too_narrow(models: dict[str, ModelDescription]) -> None:
    wide, narrow, tiny = (draw_architecture(models["default"], StyleConfig(width_in=width)).get_size_inches() for width in (6.4, 4, 2))
    assert wide[0] > wide[1] and narrow[1] > narrow[0] == 4
    assert 2 < tiny[0] <= 4


def test_each_block_tells_name_shape_and_parameters(models: dict[str, ModelDescription]) -> None:
    drawn, model = build_architecture(models["default"]), models["default"]
    count = {name: entry["parameters"] for name, entry in model.blocks.items()}

    def par(*names: str) -> str:
        return f"{count_text(sum(count[name] for name in names))} par."

    assert texts(drawn, "image") == ["image I", "3×64×32"]
    assert texts(drawn, "visual.backbone") == ["ResNet-10", "to layer3", "256×4×2", par("visual.backbone")]
    assert texts(drawn, "mfpm") == ["MFPM", "6×4×2", par("visual.apn.mfpm")]
    assert texts(drawn, "ltn") == ["LTN", "2×2 tiles", "12×4×2", par("visual.apn.ltn")]
    assert texts(drawn, "stripes")[2:] == ["4×7 ids", f"{4 * (12 * 7 + 24)} par.", "ℒ: CE"]
    assert texts(drawn, "v_a")[2:] == ["10-d", par("visual.apn.embed"), "ℒ: triplet"]
    assert texts(drawn, "visual.apn.neck")[2:] == ["7 ids", f"{20 + 70} par.", "ℒ: CE"]
    assert texts(drawn, "pafm") == ["PAFM", "512×4×2", par("attribute.apan.pafm")]
    assert texts(drawn, "project") == ["projection", "and gates", "5×4×2", par("attribute.apan.project", "attribute.apan.gates")]
    assert texts(drawn, "cell") == ["ConvLSTM", "12 steps", "4×4×2", par("attribute.apan.cell")]
    assert texts(drawn, "heads") == ["12 heads", "attributes", "30 logits", par(*(f"attribute.apan.heads.{i}" for i in range(12))), "ℒ: BCE, CE"]
    assert texts(drawn, "extractor") == ["extractor", "ResNet-10", "512-d", par("extractor.trunk")]
    assert texts(drawn, "weight") == ["MLP", "$w$: 1 number", "97 par.", "ℒ: Eq. 2"]
    assert texts(drawn, "v")[-1] == "18-d" and "\\hat" in texts(drawn, "v")[0]
    assert texts(drawn, "fc") == ["FC", "9-d", "162 par.", "ℒ: triplet"]
    assert texts(drawn, "neck") == ["BNNeck", "9-d", "18 par.", "descriptor"]
    assert texts(drawn, "classifier") == ["classifier", "7 ids", "63 par.", "ℒ: CE"]


class Watched(ModelDescription):
    """Remembers whose parameters were asked for."""

    def parameters(self, *names: str) -> int:
        self.asked = [*getattr(self, "asked", []), *names]
        return super().parameters(*names)


@pytest.mark.parametrize("name", CASES)
def test_the_boxes_show_each_parameter_once(name: str, tmp_path: Path) -> None:
    describe_model(*CASES[name], tmp_path / "architecture.json")
    model = Watched(json.loads((tmp_path / "architecture.json").read_text()))
    build_architecture(model)
    shown = [block for asked in model.asked for block in model.blocks if block == asked or block.startswith(f"{asked}.")]
    # the question whether there is a projection asks for it, too; the extractor's classifier is no part of the figure
    shown = [block for i, block in enumerate(shown) if block != "attribute.apan.project" or block not in shown[:i]]
    without_extractor = name == "fixed"
    expected = [block for block in model.blocks if not block.startswith("extractor" if without_extractor else "extractor.neck")]
    assert sorted(shown) == sorted(expected)


def test_gradients_decide_what_is_dashed(models: dict[str, ModelDescription]) -> None:
    def dashed(name: str) -> dict[str, bool]:
        return {flow.start: flow.dashed for flow in flows_to(build_architecture(models[name]), "v")}

    assert dashed("default") == {"v_a": True, "v_s": True, "weight": True}
    assert dashed("coupled") == {"v_a": False, "v_s": False, "weight": True}
    assert dashed("original") == {"v_a": False, "v_s": False, "weight": False}
    assert dashed("fused_id") == {"v_a": True, "v_s": True, "weight": False}
    assert dashed("fixed") == {"v_a": True, "v_s": True, "weight": True}
    assert flows_to(build_architecture(models["default"]), "weight") == {Flow("q", "weight", True)}


def test_the_figure_draws_dashes_where_no_gradient_flows(models: dict[str, ModelDescription]) -> None:
    for name, model in models.items():
        lines = draw_architecture(model, StyleConfig()).axes[0].lines
        assert sum(line.is_dashed() for line in lines) == 1 + sum(flow.dashed for flow in build_architecture(model).flows), name  # one is the legend's


@pytest.mark.parametrize("width", [6.4, 4])
def test_arrows_lead_from_block_to_block_and_grey_is_for_training_only(width: float, models: dict[str, ModelDescription]) -> None:
    drawn = build_architecture(models["default"])
    axes = draw_architecture(models["default"], StyleConfig(width_in=width)).axes[0]
    patches = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch) and patch.get_zorder() == 3]
    heads = [patch.get_xy()[0] for patch in axes.patches if isinstance(patch, Polygon)]
    boxes = {name: patch for name, patch in zip(drawn.blocks, patches, strict=False)}  # the legend's come last
    assert len(heads) == len(axes.lines) == len(drawn.flows) + 2  # two in the legend
    for flow, line, tip in zip(drawn.flows, axes.lines, heads, strict=False):
        for (x, y), name in ((np.asarray(line.get_xydata())[0], flow.start), (tip, flow.end)):
            box = boxes[name].get_bbox()
            assert box.x0 - 1e-6 <= x <= box.x1 + 1e-6 and box.y0 - 1e-6 <= y <= box.y1 + 1e-6, flow
    for name, block in drawn.blocks.items():
        assert (boxes[name].get_facecolor()[:3] != (1, 1, 1)) == block.training_only, name


def test_the_legend_and_the_panels_tell_dashes_and_totals(models: dict[str, ModelDescription]) -> None:
    axes = draw_architecture(models["default"], StyleConfig()).axes[0]
    said = {text.get_text(): text.get_position()[1] for text in axes.texts}
    for line, words in zip(axes.lines[-2:], ("with gradient", "no gradient back"), strict=True):
        assert np.asarray(line.get_ydata())[0] == pytest.approx(said[words]) and line.is_dashed() == (words != "with gradient")
    words = [text.get_text() for text in axes.texts]
    for title, part in (("Visual branch, APN", "visual"), ("Attribute branch, APAN", "attribute"), ("Fusion head", "head")):
        assert words[words.index(title) + 1] == f"{count_text(models['default'].totals[part]['all'])} par."


def test_a_fixed_weight_takes_the_place_of_its_path(models: dict[str, ModelDescription]) -> None:
    drawn = build_architecture(models["fixed"])
    assert texts(drawn, "weight") == ["$w$ = 0.35", "the same for", "all images"]
    assert "extractor" not in drawn.blocks and "q" not in drawn.blocks


def test_a_q_from_a_file_needs_no_extractor(models: dict[str, ModelDescription]) -> None:
    drawn, caption = build_architecture(models["default"], computed=False), architecture_caption(models["default"], "", computed=False)
    assert texts(drawn, "q") == ["Q(I)", "from a file", "1 number"] and "extractor" not in drawn.blocks and not flows_to(drawn, "q")
    assert "Q(I) was computed elsewhere and is read from a file" in caption and "an extractor" not in caption


def test_what_a_model_lacks_is_not_drawn(models: dict[str, ModelDescription]) -> None:
    original = build_architecture(models["original"])
    assert not {"stripes", "project", "attribute.apan.neck"} & set(original.blocks)
    assert texts(original, "heads")[0] == "1 head" and flows_to(original, "heads") == {Flow("v_s", "heads")}
    assert texts(original, "cell")[1] == "1 step" and flows_to(original, "cell") == {Flow("pafm", "cell")}
    assert texts(original, "fc")[1] == "BN, ReLU" and texts(original, "fc")[-1] == "descriptor" and "descriptor" not in texts(original, "neck")
    assert texts(original, "weight") == ["MLP", "$w$: 1 number", "97 par."] and texts(original, "classifier")[-1] == "ℒ: CE, mix"
    assert not any(text.startswith("ℒ") for text in texts(original, "v_s")) and "\\hat" not in texts(original, "v")[0]
    fixed = build_architecture(models["fixed"])
    assert flows_to(fixed, "heads") == {Flow("v_s", "heads")} and "attribute.apan.neck" in fixed.blocks
    assert not any(text.startswith("ℒ") for text in texts(fixed, "heads"))
    assert texts(build_architecture(models["fused_id"]), "project")[:2] == ["gates", "512×4×2"]
    assert texts(build_architecture(models["projection"]), "project")[:2] == ["projection", "5×4×2"]
    assert texts(build_architecture(models["coupled"]), "weight")[-1] == "ℒ: Eq. 6"
    no_fc = build_architecture(models["no_fc"])
    assert texts(no_fc, "fc") == ["no FC", "18-d", "ℒ: triplet", "descriptor"] and no_fc.blocks["neck"].training_only
    assert texts(no_fc, "v_s")[1:3] == ["GeM, FC, BN", "+ PAFM's map"] and texts(no_fc, "v_a")[1] == "GeM, FC, BN"


def test_the_caption_has_the_numbers(models: dict[str, ModelDescription]) -> None:
    text, totals = architecture_caption(models["default"], "a run, seed 1"), models["default"].totals
    for number in (totals["qafm"]["all"], totals["qafm"]["without_identity_classifiers"], totals["visual"]["all"], totals["attribute"]["all"]):
        assert f"{number:,}" in text
    part = {name: f"{count['all']:,}" for name, count in totals.items()}
    assert f"(visual branch {part['visual']}, attribute branch {part['attribute']}, fusion head {part['head']}, MLP {part['weight_mlp']})" in text
    assert "a run, seed 1" in text and "64 x 32 pixels" in text and "7 train identities" in text and "teaches the fusion head alone" in text
    assert "alpha as published weighs APAN and is 1 - w" in text and "on held-out identities" in text and "margin 0.3" in text
    extractor = models["default"].parameters("extractor.trunk")
    assert f"an extractor of its own (ResNet-10, {extractor:,} parameters; see Figure 3)" in text
    assert "one step for each of the 12 attribute groups" in text and "label smoothing 0.1;" in text and "between w and Eq. 2's target" in text
    others = {name: architecture_caption(model, "") for name, model in models.items()}
    assert "The MLP learns from Eq. 6" in others["coupled"]
    assert "on the train images" in others["coupled"] and "both branches, never the weight" in others["coupled"]
    assert "no loss of its own" in others["original"] and "a single step" in others["original"] and "as they are" in others["original"]
    assert "w = 0.35" in others["fixed"] and "2 of the 8 stripe classifiers" in others["fixed"] and "BCE" not in others["fixed"]
    assert "reads the generalised mean of PAFM's map" in others["no_fc"] and "of PAFM's map" not in others["default"]
    assert "0.5 x the mean" in others["fused_id"] and "everything else held fixed" in others["fused_id"]


def test_every_format_is_written_and_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    describe_model(*CASES["default"], tmp_path / "architecture.json")
    kinds = ("png", "svg", "pdf", "rst")
    for name in ("one", "two"):
        plot_architecture(tmp_path / "architecture.json", "a run, seed 1", StyleConfig(dpi=60), [tmp_path / f"{name}.{kind}" for kind in kinds], computed=True)
    for kind in kinds:
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG") and "ConvLSTM" in (tmp_path / "one.svg").read_text()
    assert read_caption(tmp_path / "one.rst") == architecture_caption(read_description(tmp_path / "architecture.json"), "a run, seed 1")


def test_a_missing_description_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"architecture\.json: cannot be read"):
        plot_architecture(tmp_path / "architecture.json", "run", StyleConfig(), [tmp_path / "a.png"], computed=True)
    assert not list(tmp_path.iterdir())


def test_fonts_are_legible() -> None:
    assert all(7 <= font["fontsize"] <= 9 for font in FONTS.values())
