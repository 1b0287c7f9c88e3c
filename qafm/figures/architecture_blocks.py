"""What Figure 2 shows: the blocks of a run's networks with their place, and the arrows between them, read from architecture.json.

Places are cells of a grid: `step` along the flow, `lane` across it. The drawing may turn the grid.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qafm.figures.drawing.block_diagram import Line, count_text, shape_text
from qafm.figures.model_description import ModelDescription, network_name

STEPS, LANES = 7, 5
APN_HEADS, APN, MIDDLE, APAN, APAN_HEADS = range(LANES)
START, LAST_MAP, MEETING, FC, NECK = 0, 3, 4, 5, 6  # steps
WEIGHT_LOSSES = {"ratio_bce": "Eq. 2", "expected_loss": "Eq. 6", "fused_id": "fused CE"}


class Place(NamedTuple):
    """A cell of the grid."""

    step: float
    lane: int


@dataclass(frozen=True)
class Block:
    """A box of the figure."""

    place: Place
    lines: tuple[Line, ...]
    training_only: bool = False


class Flow(NamedTuple):
    """An arrow from one block to another; dashed where no gradient flows back along it."""

    start: str
    end: str
    dashed: bool = False


@dataclass
class Architecture:
    """Blocks by name and the arrows between them."""

    blocks: dict[str, Block] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)

    def add(self, name: str, place: Place, *lines: str | Line, after: str | None = None, dashed: bool = False, training_only: bool = False) -> None:
        """Add a block, whose first line is a name if it is mere text, and an arrow to it from the block `after`."""
        texts = [line if isinstance(line, Line) else Line(line, "plain" if i else "name") for i, line in enumerate(lines) if line]
        self.blocks[name] = Block(place, tuple(texts), training_only)
        if after is not None:
            self.flows.append(Flow(after, name, dashed))


def build_architecture(model: ModelDescription, *, computed: bool = True) -> Architecture:
    """Lay out both branches, the path of the weight, which begins with Q where that is not `computed` but read from a file, and the fusion head."""
    drawn = Architecture()
    drawn.add("image", Place(START, MIDDLE), "image I", shape_text(model.inputs["branches"]))
    _add_visual(drawn, model)
    _add_attribute(drawn, model)
    weight = _add_weight(drawn, model, computed=computed)
    _add_head(drawn, model, weight)
    return drawn


def _size(model: ModelDescription, name: str, *modules: str) -> tuple[str, str]:
    """Output shape of a block; parameters of these modules, or of the block itself."""
    return shape_text(model.output(name)), _parameters(model, *(modules or (name,)))


def _parameters(model: ModelDescription, *modules: str) -> str:
    count = model.parameters(*modules)
    return f"{count_text(count)} par." if count else ""


def _pooled(model: ModelDescription, apart: str) -> tuple[str, str, str]:
    """How a branch's vector is made: its layers, its shape, and all their parameters."""
    pool = "GeM" if model.config["architecture"]["backbone"]["pooling"] == "gem" else "pool"
    return f"{pool}, FC, BN", *_size(model, f"{apart}.embed", f"{apart}.embed", f"{apart}.pool")


def _ids(model: ModelDescription, classifier: str) -> str:
    return f"{model.output(classifier)[0]} ids"


def _loss(*names: str) -> Line | str:
    present = [name for name in names if name]
    return Line(f"ℒ: {', '.join(present)}", "loss") if present else ""


def _backbone(drawn: Architecture, model: ModelDescription, branch: str, layer: str, lane: int) -> None:
    name = network_name(model.config["architecture"]["backbone"]["name"])
    drawn.add(f"{branch}.backbone", Place(START, lane), name, f"to {layer}", *_size(model, f"{branch}.backbone"), after="image")


def _identity_head(drawn: Architecture, model: ModelDescription, apart: str, place: Place, after: str) -> None:
    """BNNeck and identity classifier in one box."""
    lines = ("BNNeck +", Line("classifier", "name"), _ids(model, f"{apart}.neck.classifier"), _parameters(model, f"{apart}.neck"), _loss("CE"))
    drawn.add(f"{apart}.neck", place, *lines, after=after, training_only=True)


def _add_visual(drawn: Architecture, model: ModelDescription) -> None:
    _backbone(drawn, model, "visual", "layer3", APN)
    drawn.add("mfpm", Place(LAST_MAP / 2, APN), "MFPM", *_size(model, "visual.apn.mfpm"), after="visual.backbone")
    rows, columns = model.config["architecture"]["apn"]["lam_grid"]
    drawn.add("ltn", Place(LAST_MAP, APN), "LTN", f"{rows}×{columns} tiles", *_size(model, "visual.apn.ltn"), after="mfpm")
    stripes = [block for name in ("visual.apn.horizontal", "visual.apn.vertical") for block in model.run(name) if block["kind"] == "Linear"]
    if stripes:
        parameters = _parameters(model, "visual.apn.horizontal", "visual.apn.vertical")
        lines = (f"{len(stripes)} stripe", Line("classifiers", "name"), f"{len(stripes)}×{stripes[0]['output'][0]} ids", parameters, _loss("CE"))
        drawn.add("stripes", Place(LAST_MAP, APN_HEADS), *lines, after="ltn", training_only=True)
    drawn.add("v_a", Place(MEETING, APN), "$\\bf{v}_a$", *_pooled(model, "visual.apn"), _loss("triplet"), after="ltn")
    _identity_head(drawn, model, "visual.apn", Place(MEETING, APN_HEADS), "v_a")


def _add_attribute(drawn: Architecture, model: ModelDescription) -> None:
    _backbone(drawn, model, "attribute", "layer4", APAN)
    projected, gated = model.parameters("attribute.apan.project") > 0, model.has("attribute.apan.gates")
    drawn.add("pafm", Place(1 if projected or gated else LAST_MAP / 2, APAN), "PAFM", *_size(model, "attribute.apan.pafm"), after="attribute.backbone")
    before = "pafm"
    if projected or gated:
        before, name = "project", "projection" if projected else "gates"
        size = shape_text(model.input("attribute.apan.cell")), _parameters(model, "attribute.apan.project", "attribute.apan.gates")
        drawn.add(before, Place(2, APAN), name, "and gates" if projected and gated else "", *size, after="pafm")
    cell = model.blocks["attribute.apan.cell"]
    steps = f"{cell['calls']} step{'s' * (cell['calls'] > 1)}"
    drawn.add("cell", Place(LAST_MAP, APAN), "ConvLSTM", steps, *_size(model, "attribute.apan.cell"), after=before)
    settings = model.config["architecture"]["apan"]
    identity = model.has("attribute.apan.neck")
    losses = _loss("triplet" if identity else "")
    read = "+ PAFM's map" if settings["residual"] else ""
    made, *size = _pooled(model, "attribute.apan")
    drawn.add("v_s", Place(MEETING, APAN), "$\\bf{v}_s$", made, read, *size, losses, after="cell")
    _attribute_heads(drawn, model, settings)
    if identity:
        _identity_head(drawn, model, "attribute.apan", Place(MEETING, APAN_HEADS), "v_s")


def _attribute_heads(drawn: Architecture, model: ModelDescription, settings: dict[str, Any]) -> None:
    """A head per group on the ConvLSTM's states, or a single one on v_s."""
    logits, loss = f"{sum(model.attribute_groups.values())} logits", _loss("BCE, CE" if settings["attribute_weight"] else "")
    if settings["heads"] == "separate":
        heads, of = f"{len(model.run('attribute.apan.heads'))} heads", "attribute.apan.heads"
        drawn.add("heads", Place(LAST_MAP, APAN_HEADS), heads, "attributes", logits, _parameters(model, of), loss, after="cell")
    else:
        place = Place(LAST_MAP if model.has("attribute.apan.neck") else MEETING, APAN_HEADS)
        drawn.add("heads", place, "1 head", "attributes", logits, _parameters(model, "attribute.apan.single_head"), loss, after="v_s")


def _add_weight(drawn: Architecture, model: ModelDescription, *, computed: bool) -> str:
    """The path from the image to its weight, or the constant in its place; returns the block that gives the weight."""
    alpha, gradients = model.config["fusion"]["alpha"], model.config["fusion"]["gradients"]
    if not model.has("weight_mlp"):
        drawn.add("weight", Place(LAST_MAP, MIDDLE), f"$w$ = {alpha['fixed']:g}", "the same for", "all images")
        return "weight"
    if computed:
        size = shape_text(model.input("extractor.neck.norm")), _parameters(model, "extractor.trunk", "extractor.pool")
        drawn.add("extractor", Place(START + 1, MIDDLE), "extractor", network_name(model.config["extractor"]["name"]), *size, after="image")
        drawn.add("q", Place(START + 2, MIDDLE), "Q(I)", "Eq. 1", "1 number", after="extractor", dashed=True)
    else:
        drawn.add("q", Place(START + 2, MIDDLE), "Q(I)", "from a file", "1 number")
    loss = _loss("" if gradients == "original" else WEIGHT_LOSSES[alpha["loss"]])
    drawn.add("weight", Place(LAST_MAP, MIDDLE), "MLP", "$w$: 1 number", _parameters(model, "weight_mlp"), loss, after="q", dashed=True)
    return "weight"


def _add_head(drawn: Architecture, model: ModelDescription, weight: str) -> None:
    fusion = model.config["fusion"]
    head, gradients = fusion["head"], fusion["gradients"]
    v_a, v_s = (f"\\hat{{v}}_{kind}" if head["normalize"] else f"v_{kind}" for kind in "as")  # with a hat: of unit length
    drawn.add("v", Place(MEETING, MIDDLE), Line(f"$\\bf{{V}}$ = [$w\\,{v_a}$,"), f"$(1-w)\\,{v_s}$]", shape_text(model.input("head.fc")))
    learned = model.has("weight_mlp") and (gradients == "original" or fusion["alpha"]["loss"] == "fused_id")
    drawn.flows += [Flow(branch, "v", dashed=gradients == "isolated") for branch in ("v_a", "v_s")]
    drawn.flows.append(Flow(weight, "v", dashed=not learned))
    relu, plain = head["activation"] == "relu", head["dim"] is None
    before_neck = relu or plain
    size = _size(model, "head.fc", "head.fc", "head.fc_norm")
    fc = ("no FC" if plain else "FC", "BN, ReLU" if relu else "", *size, _loss("triplet"), "descriptor" if before_neck else "")
    drawn.add("fc", Place(FC, MIDDLE), *fc, after="v")
    drawn.add("neck", Place(NECK, MIDDLE), "BNNeck", *_size(model, "head.neck.norm"), "" if before_neck else "descriptor", after="fc", training_only=plain)
    losses = _loss("CE", "mix" if gradients == "original" else "")
    lines = ("classifier", _ids(model, "head.neck.classifier"), _parameters(model, "head.neck.classifier"), losses)
    drawn.add("classifier", Place(NECK, APN), *lines, after="neck", training_only=True)
