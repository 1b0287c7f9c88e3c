"""Which systems a run compares, each in its own recipe and in the common one: the Snakefile's list of rows."""

from collections.abc import Iterator, Sequence
from typing import Literal

from qafm.config.ablation import RIVAL_TRAININGS
from qafm.config.backbone import BackboneConfig
from qafm.config.bpbreid import PartBackboneConfig, PartTrainingConfig, TrainBpbreidConfig, Variant
from qafm.config.common_recipe import CommonNetworkConfig, SiameseHead, SlicedHead, TrainCommonConfig
from qafm.config.compared import (
    CommonNetwork,
    ComparedSystem,
    ComparedTraining,
    FusedNetwork,
    PartNetwork,
    PlainNetwork,
    SlicedNetwork,
    Start,
)
from qafm.config.run import RunConfig
from qafm.config.sliced_net import Network
from qafm.config.slicenet import NETWORK_NAMES, NETWORKS
from qafm.config.training import ScheduleConfig

COMPARED = ("batch", "augment", "optimizer")  # of a training, beside its epochs; its loss is the system's own
SIAMESE = "siamese"
_CUT: dict[Network, str] = {
    "bignet": "the map is not cut",
    "slicenet1": "strips of the image go through the backbone",
    "slicenet2": "the backbone's last map is cut into strips",
}


def common_trainings(run: RunConfig) -> dict[str, TrainCommonConfig]:
    """System -> its training under the common recipe, of those whose network is built on the common backbone for it."""
    par, slicenet = run.companions.par, run.companions.slicenet
    siamese = SiameseHead(dim=par.siamese.dim, margin=par.siamese.margin, clusters=par.siamese.clusters)
    sliced = {name: SlicedHead(network=name, slices=slicenet.network(name).slices, dropout=slicenet.dropout) for name in _sliced_networks(run)}
    baseline = run.model.train_baseline()
    schedule = ScheduleConfig.model_validate(baseline.training.model_dump(exclude={"loss"}))
    return {name: TrainCommonConfig(backbone=baseline.backbone, head=head, training=schedule) for name, head in {SIAMESE: siamese, **sliced}.items()}


def _sliced_networks(run: RunConfig) -> list[Network]:
    """The networks behind the compared rows of companion c2, each once."""
    found: list[Network] = []
    for row in run.companions.comparison.slicenet:
        if NETWORKS[row] not in found:
            found.append(NETWORKS[row])
    return found


def common_bpbreid(run: RunConfig) -> TrainBpbreidConfig:
    """BPBReID under the common recipe: parts and losses are its own, and its backbone's last stride is 1."""
    own, trained = run.companions.bpbreid, run.model.train_baseline()
    backbone = PartBackboneConfig.model_validate(trained.backbone.model_dump(exclude={"last_stride", "pooling"}))
    training = PartTrainingConfig.model_validate({**trained.training.model_dump(exclude={"loss"}), "loss": own.training.loss})
    return TrainBpbreidConfig(backbone=backbone, parts=own.parts, loss=own.loss, training=training)


def bpbreid_is_common(run: RunConfig) -> bool:
    """Whether its own recipe is the common one, so that one training serves both."""
    return run.companions.bpbreid.training_slice() == common_bpbreid(run)


def compared_systems(run: RunConfig, variants: Sequence[Variant]) -> list[ComparedSystem]:
    """All systems of the configured recipes, in the order of the table.

    Args:
        run: the whole configuration.
        variants: those of BPBReID that the data set allows.
    """
    wanted = run.companions.comparison.recipes
    found = [*_fused(run), *_plain(run), *_siamese(run), *_sliced(run), *_parts(run, variants)]
    kept = [system.model_copy(update={"recipes": {name: note for name, note in system.recipes.items() if name in wanted}}) for system in found]
    return [system for system in kept if system.recipes]


def absent_systems(run: RunConfig, absent_variants: dict[str, str]) -> list[tuple[str, str, str]]:
    """(system, recipe, why it is left out) of what the data set or the configuration does not allow."""
    wanted = run.companions.comparison.recipes
    found = [(f"BPBReID {variant}", recipe, reason) for variant, reason in absent_variants.items() for recipe in wanted]
    found += [(f"BPBReID {variant}", "common", reason) for variant, reason in _too_many_stripes(run).items() if "common" in wanted]
    found += [(NETWORK_NAMES[name], "common", reason) for name, reason in _undivided(run).items() if "common" in wanted]
    if not run.dataset.has_attributes and "own" in wanted:
        found.append((SIAMESE, "own", "not measured: its own recipe starts from attributes, and the data set has none"))
    if differing := _unlike_baseline(run):
        reason = f"not measured: its stages have other {', '.join(differing)} than the baseline"
        found += [(name, "common", reason) for name in ("QAFM", "best_fixed", "apn_descriptor", "apan_descriptor") if "common" in wanted]
    return found


def _too_many_stripes(run: RunConfig) -> dict[Variant, str]:
    """Variant of BPBReID -> why it cannot be trained under the common recipe."""
    stripes, rows = run.companions.bpbreid.parts.stripes, common_bpbreid(run).backbone.map_rows
    reason = f"not measured: {stripes} stripes do not fit on the {rows} rows of the common backbone's map"
    return {variant: reason for variant in run.companions.bpbreid.variants if "stripe" in variant and stripes > rows}


def _undivided(run: RunConfig) -> dict[Network, str]:
    """SliceNet -> why it cannot be trained under the common recipe."""
    backbone, slices = run.model.backbone, run.companions.slicenet.slices
    rows: dict[Network, int] = {"slicenet1": backbone.height, "slicenet2": backbone.map_size()[0]}
    what: dict[Network, str] = {"slicenet1": "common input", "slicenet2": "common backbone's map"}
    cut: list[Network] = [name for name in _sliced_networks(run) if name != "bignet" and rows[name] % slices]
    return {name: f"not measured: {slices} strips do not divide the {rows[name]} rows of the {what[name]}" for name in cut}


def _unlike_baseline(run: RunConfig) -> list[str]:
    """Settings in which the trainings of stages 5 and 6 differ from the baseline's."""
    common = run.model.baseline.training
    return [name for name in COMPARED if any(getattr(stage, name) != getattr(common, name) for stage in _stages(run).values())]


def _stages(run: RunConfig) -> dict[str, ScheduleConfig]:
    """The trainings behind QAFM, in their order."""
    model = run.model
    branches: dict[str, ScheduleConfig] = {"apn": model.apn.training} if model.apn.pretrain else {}
    if run.apan_is_pretrained:
        branches["apan"] = model.apan.training
    return {**branches, "fusion": model.fusion}


def _start(run: RunConfig, backbone: BackboneConfig) -> Start:
    """The start of a system on a ResNet."""
    return Start(init=_init(run, backbone.init), backbone=backbone.architecture, size=(backbone.height, backbone.width), extractor=backbone.init == "extractor")


def _part_start(run: RunConfig, backbone: PartBackboneConfig) -> Start:
    """The start of BPBReID."""
    if backbone.name != "hrnet_w32":
        return _start(run, backbone.resnet())
    return Start(init=backbone.init, backbone=backbone.name, size=(backbone.height, backbone.width), extractor=False)


def _init(run: RunConfig, init: str) -> str:
    return f"extractor from {run.features.extractor.backbone.init}" if init == "extractor" else init


def _trained(folder: tuple[str, str], rule: str) -> ComparedTraining:
    """A training whose record lies in its own folder."""
    return ComparedTraining(folder=folder, record=(*folder, rule))


def _of_model(name: str, record: str) -> ComparedTraining:
    """A training of the main chain, whose records lie together."""
    return ComparedTraining(folder=("model", name), record=("model", "", record))


def _fused(run: RunConfig) -> Iterator[ComparedSystem]:
    """QAFM, its best fixed weight, and its branches."""
    model, stages = run.model, _stages(run)
    alone = ", ".join(f"{name.upper()} alone" for name in stages if name != "fusion")
    frozen = f" (frozen at first: {model.fusion.freeze_epochs} of its epochs)"
    note = f"trained in stages: {alone}, then both branches together{frozen}" if alone else "both branches trained together from the start"
    records = {"apn": "pretrain_apn", "apan": "pretrain_apan", "fusion": "train_fusion"}
    others = {"both": "", "visual": "apan", "attribute": "apn"}  # a branch owes nothing to the other's own stage
    computed = run.quality.source == "compute"
    q = run.q_network() if computed else None
    learned = model.fusion.alpha.fixed is None
    of_q = f"; Q takes {1 + run.perturb.variants} forward passes of the extractor" if computed else "; Q is read from a file, at no cost"
    rows: tuple[tuple[str, str, Literal["both", "visual", "attribute"], bool, str], ...] = (
        ("qafm", "QAFM", "both", learned, note + (of_q if learned else "")),
        ("best_fixed", "best_fixed", "both", False, f"{note}; no Q at test time"),
        ("apn_descriptor", "apn_descriptor", "visual", False, "QAFM's visual branch by its own descriptor, trained with QAFM"),
        ("apan_descriptor", "apan_descriptor", "attribute", False, "QAFM's attribute branch by its own descriptor, trained with QAFM"),
    )
    exception = " but for its stages and their epochs" if alone else " but for its epochs" if model.fusion.epochs != model.baseline.training.epochs else ""
    for key, system, part, uses_q, text in rows:
        same = "its own recipe is the common one" + exception
        recipes = {"own": text} | ({} if _unlike_baseline(run) else {"common": f"{text}; {same}"})
        network = FusedNetwork(part=part, architecture=model.architecture(), head=model.fusion.head, learned=uses_q, q=q if uses_q else None)
        yield ComparedSystem(
            key=key,
            system=system,
            recipes=recipes,
            seeds=run.seeds,
            artifact=("model", "", f"ablation/{key}.json"),
            experiment=key,
            start=_start(run, model.backbone),
            network=network,
            trainings=tuple(_of_model(name, records[name]) for name in stages if name != others[part]),
            needs_q=computed and learned,  # it teaches the weight of the model that all four rows come from
        )


def _plain(run: RunConfig) -> Iterator[ComparedSystem]:
    """The Bag-of-Tricks baseline, alone and twice."""
    note = "its recipe is the common one"
    for key in ("baseline", "baseline_twins"):
        stages = RIVAL_TRAININGS[key]
        yield ComparedSystem(
            key=key,
            system=key,
            recipes={"own": note, "common": note},
            seeds=run.seeds,
            artifact=("model", "", f"ablation/{key}.json"),
            experiment=key,
            network=PlainNetwork(backbone=run.model.backbone, copies=len(stages)),
            trainings=tuple(_of_model(stage, f"train_{stage}") for stage in stages),
            start=_start(run, run.model.backbone),
        )


def _common(run: RunConfig, name: str, system: str, note: str) -> ComparedSystem:
    """A network that `train_common` trains."""
    trained = common_trainings(run)[name]
    return ComparedSystem(
        key=f"{name}-common",
        system=system,
        recipes={"common": note},
        seeds=run.seeds,
        artifact=("common", name, "retrieval.json"),
        experiment=name,
        network=CommonNetwork(network=CommonNetworkConfig(backbone=trained.backbone, head=trained.head)),
        trainings=(_trained(("common", name), "train_common"),),
        start=_start(run, trained.backbone),
    )


def _siamese(run: RunConfig) -> Iterator[ComparedSystem]:
    """The siamese network: transferred from PAR as in its report, and from the common first weights."""
    par, head = run.companions.par, common_trainings(run)[SIAMESE].head
    if run.dataset.has_attributes:
        loss = par.siamese.par_loss
        trainings = (_trained(("par", loss), "train_par"), _trained(("siamese", "transfer"), "train_siamese"))
        share = f"{100 * par.split.train_share:g} % of the train identities, held-out ones among them; the others decide which epoch is kept"
        yield ComparedSystem(
            key=SIAMESE,
            system=SIAMESE,
            recipes={"own": f"starts from PAR, which learned attributes; trained on {share}"},
            seeds=run.seeds,
            artifact=("siamese", "transfer", "retrieval.json"),
            experiment="siamese_transfer",
            network=CommonNetwork(network=CommonNetworkConfig(backbone=par.backbone, head=head)),
            trainings=trainings,
            start=_start(run, par.backbone).model_copy(update={"init": par.start_of("transfer")}),
        )
    yield _common(
        run, SIAMESE, SIAMESE, "no PAR before it; triplets within the batch of P x K images, negatives from the anchor's colour cluster where it has one there"
    )


def _sliced(run: RunConfig) -> Iterator[ComparedSystem]:
    """BigNet and the SliceNets: as configured, and with the common backbone in place of their convolutions."""
    slicenet = run.companions.slicenet
    for row in run.companions.comparison.slicenet:
        network = slicenet.network_of(row)
        yield ComparedSystem(
            key=f"slicenet-{row}",
            system=NETWORK_NAMES[network.network],
            recipes={"own": f"row {row} of slicenet.csv"},
            seeds=slicenet.system(row).seeds,
            artifact=("slicenet", row, "retrieval.json"),
            experiment=row,
            start=Start(init="random", backbone="its own 15 layers", size=(network.height, network.width), extractor=False),
            network=SlicedNetwork(network=network),
            trainings=(_trained(("slicenet", row), "train_slicenet"),),
        )
    divided: list[Network] = [name for name in _sliced_networks(run) if name not in _undivided(run)]
    for name in divided:
        yield _common(run, name, NETWORK_NAMES[name], f"its dense layer and cosine softmax on the common backbone; {_CUT[name]}")


def _parts(run: RunConfig, variants: Sequence[Variant]) -> Iterator[ComparedSystem]:
    """BPBReID's variants, compared by the parts both images show."""
    own, same = run.companions.bpbreid, bpbreid_is_common(run)
    recipes = [("bpbreid", own.training_slice(), {"own": "", "common": "its own recipe is the common one"} if same else {"own": ""})]
    recipes += [] if same else [("common-bpbreid", common_bpbreid(run), {"common": "its parts and losses on the common backbone"})]
    for folder, trained, notes in recipes:
        unlike = trained.backbone.name != "hrnet_w32" and run.model.backbone.last_stride != 1
        stride = "its backbone's last stride is 1" if unlike else ""
        for variant in variants:
            if folder != "bpbreid" and variant in _too_many_stripes(run):
                continue
            visibility = "none" if variant == "stripes" else "binary"
            compared = f"compared over {'foreground and ' if own.foreground else ''}parts{'' if visibility == 'none' else ' that both images show'}"
            yield ComparedSystem(
                key=f"{folder}-{variant}",
                system=f"BPBReID {variant}",
                recipes={recipe: "; ".join(filter(None, (compared, note, stride))) for recipe, note in notes.items()},
                seeds=run.seeds,
                artifact=(folder, variant, f"retrieval/full-full-{visibility}.json"),
                experiment=f"full-full-{visibility}",
                start=_part_start(run, trained.backbone),
                network=PartNetwork(model=trained.model_slice(), variant=variant, foreground=own.foreground),
                trainings=(_trained((folder, variant), "train_bpbreid"),),
            )
