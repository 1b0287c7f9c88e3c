"""What the caption of Figure 2 says of a run's networks."""

from typing import Any

from qafm.figures.model_description import ModelDescription, network_name

GRADIENTS = {
    "isolated": "The loss of the fused vector teaches the fusion head alone; each branch learns from its own losses.",
    "coupled": "The loss of the fused vector teaches the fusion head and both branches, never the weight.",
    "original": "As in the original code, the loss of the fused vector also reaches both branches and the weight, and mix is added: the cross-entropy of the "
    "fused vector against the detached classifier.",
}
WEIGHT_LOSSES = {
    "ratio_bce": "The MLP learns from the binary cross-entropy between w and Eq. 2's target, L(APAN) / (L(APN) + L(APAN)) of the branches' identity losses "
    "{of}.",
    "expected_loss": "The MLP learns from Eq. 6, the mean of w L(APN) + (1 - w) L(APAN) of the branches' identity losses {of}.",
    "fused_id": "The MLP learns from the identity cross-entropy of the fused vector as a function of w alone, everything else held fixed.",
}
TARGETS = {"holdout": "on held-out identities", "train": "on the train images"}


def architecture_caption(model: ModelDescription, run: str, *, computed: bool = True) -> str:
    """The caption of Figure 2.

    Args:
        model: what architecture.json says.
        run: what the run is called.
        computed: whether Q is this run's own; else it is read from a file.
    """
    return " ".join([_what(model, run), _how_to_read(model), _losses(model), _weight(model, computed=computed), _paper()])


def _what(model: ModelDescription, run: str) -> str:
    totals, backbone = model.totals, model.config["architecture"]["backbone"]
    height, width = model.inputs["branches"][1:]
    branches = f"APN with MFPM and LTN on a {network_name(backbone['name'])} up to layer3, APAN with PAFM and a ConvLSTM on another one up to layer4"
    return (
        f"The architecture as this run builds it ({run}): {branches}, for images of {height} x {width} pixels and {model.num_ids:,} train identities. "
        f"QAFM has {totals['qafm']['all']:,} parameters (visual branch {totals['visual']['all']:,}, attribute branch {totals['attribute']['all']:,}, "
        f"fusion head {totals['head']['all']:,}, MLP {totals['weight_mlp']['all']:,}), {totals['qafm']['without_identity_classifiers']:,} without the "
        f"identity classifiers, which retrieval does not need."
    )


def _how_to_read(model: ModelDescription) -> str:
    cell = model.blocks["attribute.apan.cell"]["calls"]
    stripes = [block for side in ("horizontal", "vertical") for block in model.within(f"visual.apn.{side}") if block["kind"] == "Linear"]
    idle = sum(not block["calls"] for block in stripes)
    rest = f" The map is too small for {idle} of the {len(stripes)} stripe classifiers, which rest." if idle else ""
    steps = f"one step for each of the {cell} attribute groups" if cell > 1 else "a single step"
    architecture = model.config["architecture"]
    mean = "generalised mean" if architecture["backbone"]["pooling"] == "gem" else "mean"
    shortcut = f" v_s reads the {mean} of PAFM's map beside the means of the ConvLSTM's states." if architecture["apan"]["residual"] else ""
    return (
        "Each box tells its name, the shape of its output for one image, its number of parameters (k thousand, M million), all measured on the built "
        f"networks, and in italics the loss that attaches to it. The ConvLSTM takes {steps}.{shortcut} Grey boxes are needed for training only "
        f"(of a BNNeck beside a classifier, each branch's own descriptor still uses the batch norm).{rest}"
    )


def _losses(model: ModelDescription) -> str:
    fusion, apan = model.config["fusion"], model.config["architecture"]["apan"]
    loss = fusion["loss"]
    weight = f"{apan['attribute_weight']:g} x the mean" if apan["attribute_weight"] != 1 else "the mean"
    attributes = f"BCE, CE: {weight} over the {len(model.attribute_groups)} attribute groups of their cross-entropies, where labels are known; "
    return (
        f"CE: identity cross-entropy, label smoothing {loss['label_smoothing']:g}; {attributes if apan['attribute_weight'] else ''}"
        f"triplet: batch-hard, margin {loss['triplet_margin']:g}. Dashed arrows with open heads let no gradient back. {GRADIENTS[fusion['gradients']]}"
    )


def _weight(model: ModelDescription, *, computed: bool) -> str:
    fusion = model.config["fusion"]
    alpha: dict[str, Any] = fusion["alpha"]
    orientation = "w weighs the visual branch; alpha as published weighs APAN and is 1 - w."
    vectors = "Vectors with a hat are L2-normalised." if fusion["head"]["normalize"] else "The vectors are weighted as they are."
    if not model.has("weight_mlp"):
        return f"Here the weight is fixed at w = {alpha['fixed']:g} for every image. {orientation} {vectors}"
    extractor = f"{network_name(model.config['extractor']['name'])}, {model.parameters('extractor.trunk', 'extractor.pool'):,} parameters"
    learns = "The MLP has no loss of its own." if fusion["gradients"] == "original" else WEIGHT_LOSSES[alpha["loss"]].format(of=TARGETS[alpha["target"]])
    own = f"is computed beforehand with the features of an extractor of its own ({extractor}; see Figure 3)"
    return f"The MLP turns Q(I) into w; Q(I) {own if computed else 'was computed elsewhere and is read from a file'}. {learns} {orientation} {vectors}"


def _paper() -> str:
    return "In the paper's Figure 2 the fusion box reads (1 - a) f(apn) + a f(apan), with a the weight of APAN."
