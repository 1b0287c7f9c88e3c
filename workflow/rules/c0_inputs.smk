# What the companions' rules ask for, as 0_inputs.smk for the chain. No rule stands here.
import re

from qafm.config.compared_systems import absent_systems, common_bpbreid, common_trainings, compared_systems
from qafm.datasets.folder_digest import folder_digest
from qafm.datasets.market_root import find_market_root


# All companions
def companion_tables():
    """name -> (category, title) of the tables that this data set allows."""
    return {name: named for name, named in COMPANION_TABLES.items() if CFG.dataset.has_attributes or name not in PAR_TABLES}


def companion_figures():
    """As `companion_tables`, the figures."""
    left_out = set() if CFG.dataset.has_attributes else set(PAR_FIGURES)
    left_out |= set() if BPBREID_VARIANTS else {f"bpbreid_{kind}" for kind in BPBREID_FIGURES}
    return {name: named for name, named in COMPANION_FIGURES.items() if name not in left_out}


def left_out_companions():
    """(what, why) of all that this data set does not allow."""
    par = [] if CFG.dataset.has_attributes else [("PAR and siamese", f"data set {CFG.dataset.name} has no attributes")]
    return par + [(f"variant {variant} of BPBReID", reason) for variant, reason in absent_variants().items()]


def companion_results(_wildcards):
    """All that the companions make."""
    for what, why in left_out_companions():
        logger.warning(f"companions: left out: {what}: {why}")
    figures = expand("results/figures/{name}.{kind}", name=companion_figures(), kind=[*CFG.figures.style.formats, "rst"])
    return [*expand("results/{name}.csv", name=companion_tables()), *figures, "results/companions.html"]


# Companion c1
def par_config(wildcards):
    """Settings of a PAR network's training."""
    return PAR_CONFIG.train_par(wildcards.loss, CFG.dataset.kind).model_dump(mode="json")


def par_predictions():
    """(seed, loss, predictions) of all PAR networks."""
    return [(seed, loss, f"{PAR}/{loss}/seed-{seed}/predictions.parquet") for loss in PAR_CONFIG.losses for seed in CFG.seeds]


def par_if_transferred(wildcards):
    """The PAR network that an arm starts from, if it does."""
    return f"{PAR}/{PAR_CONFIG.siamese.par_loss}/seed-{{seed}}/model.safetensors" if wildcards.arm == "transfer" else []


def curves_of_transfer(wildcards):
    """The learning curves of both trainings of the arm `transfer`, for an arm that trains as long."""
    curves = (f"{PAR}/{PAR_CONFIG.siamese.par_loss}/seed-{{seed}}/history.csv", f"{SIAMESE}/transfer/seed-{{seed}}/history.csv")
    return curves if PAR_CONFIG.trains_as_long(wildcards.arm) else []


def siamese_curves():
    """Arm -> the learning curves of its trainings, that of a transferred PAR network first, each for all seeds."""
    par = f"{PAR}/{PAR_CONFIG.siamese.par_loss}"
    trainings = {"transfer": [par, f"{SIAMESE}/transfer"], "reference": [f"{SIAMESE}/reference"]}
    return {arm: [[f"{folder}/seed-{seed}/history.csv" for seed in CFG.seeds] for folder in trainings[arm]] for arm in ARMS}


def siamese_files(name, seeds=CFG.seeds):
    """(seed, arm, file of that name) of both arms."""
    return [(seed, arm, f"{SIAMESE}/{arm}/seed-{seed}/{name}") for arm in ARMS for seed in seeds]


# Companion c2
def slicenet_weights(wildcards):
    """The weights behind a row: a training's, or those trained elsewhere."""
    system = wildcards.row.removesuffix("_sign")
    return CFG.companions.slicenet.foreign.file if system == "foreign" else f"{SLICENET}/{system}/seed-{wildcards.seed}/model.safetensors"


def slicenet_training(wildcards):
    """The settings of one training."""
    return CFG.companions.slicenet.training(wildcards.system).model_dump(mode="json")


def slicenet_network(wildcards):
    """The network whose weights a row has."""
    return CFG.companions.slicenet.network_of(wildcards.row).model_dump(mode="json")


def slicenet_files(name, runs):
    """(row, seed, file of this name) of each run."""
    return [(row, seed, f"{SLICENET}/{row}/seed-{seed}/{name}") for row, seed in runs]


# Companion c3
def part_masks():
    """The folder of the part masks; None where the data set has none. The generated set has them once it is generated."""
    folder, root = CFG.companions.bpbreid.mask_folder, RAW
    if CFG.dataset.test is not None:
        return None  # those tested on would have none
    if folder is None or CFG.dataset.kind == "synthetic":
        return folder and f"{root}/{folder}"
    try:
        found = (find_market_root(root) if CFG.dataset.kind == "market1501" else root) / folder
    except InputError:
        return None  # parse_dataset says what is wrong
    return str(found) if found.is_dir() else None


def mask_contents():
    """Changes when a part mask does: what generates it, or a digest of the folder."""
    if BPBREID_MASKS is None:
        return None
    if CFG.dataset.kind == "synthetic":
        return [CFG.dataset.synthetic.model_dump(mode="json"), code("1_generate_synthetic", "qafm.datasets.generate_synthetic")]
    return folder_digest(Path(BPBREID_MASKS), Path(f"{D}/.mask_digests.json"))


def masks_are_made(wanted):
    """The file that the generator writes last, where part masks of the generated set are wanted."""
    return MANIFEST if wanted and BPBREID_MASKS and CFG.dataset.kind == "synthetic" else []


def parts_training(wildcards):
    """Settings of a variant's training."""
    return BPBREID.training_slice() if wildcards.parts == BPBREID_OWN else common_bpbreid(CFG)


def parts_model(wildcards):
    """Settings of a variant's network."""
    training = parts_training(wildcards)
    return training.model_slice().model_dump(mode="json")


def parts_extractor(wildcards):
    """The extractor, where a variant starts from it."""
    return f"{F}/extractor/model.safetensors" if parts_training(wildcards).backbone.init == "extractor" else []


def any_of(names):
    """A regular expression that matches these names and nothing else."""
    return "|".join(re.escape(name) for name in names)


def of_variant(variant, name):
    """A variant's file of this name, once per seed."""
    return expand(f"{BPBREID_RUN}/{name}", parts=BPBREID_OWN, variant=variant, seed=CFG.seeds)


def variant_files():
    """What each variant leaves, for its rows of bpbreid.csv."""
    notes = {"learned": "nobody tells its maps which part they are: see part_mIoU_matched"}
    found = []
    for variant in BPBREID_VARIANTS:
        retrieval = [(f"full-full-{visibility}", of_variant(variant, f"retrieval/full-full-{visibility}.json")) for visibility in BPBREID_VISIBILITIES[variant]]
        retrieval.append((f"{BPBREID.name}-{variant}", of_variant(variant, "retrieval/foreground.json")))
        rows = [(seed, experiment, path) for experiment, paths in retrieval for seed, path in zip(CFG.seeds, paths)]
        files = {kind: of_variant(variant, name) for kind, name in (("summaries", "parts.json"), ("histories", "history.csv"))}
        records = of_variant(variant, "benchmarks/train_bpbreid.tsv")
        found.append({"variant": variant, "rows": rows, **files, "records": records, "note": notes.get(variant, "")})
    return found


def absent_variants():
    """Variant -> why this data set has none."""
    folder = CFG.companions.bpbreid.mask_folder
    reason = "no part masks are configured" if folder is None else f"the data set has no part masks ({folder})"
    return {variant: reason for variant in BPBREID.variants if variant not in BPBREID_VARIANTS}


def parts_compared():
    """What a comparison by parts compares, in words."""
    return "foreground, parts" if BPBREID.foreground else "parts"


def part_run():
    """What the tables say of the run; the companion has first weights of its own."""
    init = BPBREID.backbone.init
    return CFG.table_run() | {"init": f"extractor from {CFG.features.extractor.backbone.init}" if init == "extractor" else init}


def partial_files():
    """What each system leaves, for its rows of partial.csv."""
    variants = [(f"BPBReID {name}", parts_compared(), BPBREID_VISIBILITIES[name], f"companions/bpbreid/{BPBREID.name}-{name}") for name in BPBREID_VARIANTS]
    systems = [*variants, *((system, "descriptor", ("none",), folder) for system, folder in BPBREID_BASELINES.items())]
    found = []
    for system, compared, visibilities, folder in systems:
        experiments = [f"{query}-{gallery}-{visibility}" for query, gallery in PROTOCOLS for visibility in visibilities]
        rows = [(seed, name, f"{D}/{folder}/seed-{seed}/retrieval/{name}.json") for name in experiments for seed in CFG.seeds]
        found.append({"system": system, "compared": compared, "visibilities": visibilities, "rows": rows})
    return found


def first_variant_files():
    """What the picture with part maps is drawn from: the first variant, the first seed."""
    names = {"ranking": "ranking.parquet", "embeddings": "views/full.parquet", "maps": "maps.parquet", "summary": "parts.json"}
    return {kind: of_variant(BPBREID_VARIANTS[0], name)[0] for kind, name in names.items()} if BPBREID_VARIANTS else {}


# Companion c4
def common_training(wildcards):
    """Settings of a training under the common recipe."""
    return COMMON_TRAININGS[wildcards.common].model_dump(mode="json")


def common_network(wildcards):
    """Settings of its network."""
    return COMMON_TRAININGS[wildcards.common].model_dump(mode="json", include={"backbone", "head"})


def folder_of(kind, name, seed):
    """The folder of a trained system, by kind."""
    return (
        {
            "model": f"{SEED}/{name}",
            "common": f"{COMMON}/{name}/seed-{{seed}}",
            "par": f"{PAR}/{name}/seed-{{seed}}",
            "siamese": f"{SIAMESE}/{name}/seed-{{seed}}",
            "slicenet": f"{SLICENET}/{name}/seed-{{seed}}",
            "bpbreid": f"{D}/{BPBREID_OWN}-{name}/seed-{{seed}}",
            "common-bpbreid": f"{D}/{BPBREID_COMMON}-{name}/seed-{{seed}}",
        }[kind]
        .format(seed=seed)
        .rstrip("/")
    )


def compared_files(systems):
    """The systems as the tables are told of them, with (seed, experiment, retrieval artifact) of each seed."""
    found = []
    for system in systems:
        *folder, name = system.artifact
        rows = [(seed, system.experiment, f"{folder_of(*folder, seed)}/{name}") for seed in system.seeds]
        found.append({"system": system.model_dump(mode="json"), "rows": rows})
    return found


def compared_artifacts():
    """All retrieval artifacts that are compared."""
    return [path for files in compared_files(COMPARED) for _, _, path in files["rows"]]


def compared_curves():
    """The systems with the learning curves of each of their trainings, per seed."""
    found = []
    for system in COMPARED:
        histories = [[f"{folder_of(*training.folder, seed)}/history.csv" for seed in system.seeds] for training in system.trainings]
        found.append({"system": system.model_dump(mode="json"), "histories": histories})
    return found


def compared_records():
    """Key of a system -> records of its trainings, and of what comes before them. They are no inputs: without them nothing is made again."""
    extractor = [f"{F}/benchmarks/train_extractor.tsv"]
    shards = [f"{folder}/{shard}.tsv" for folder in (f"{D}/benchmarks/perturb_images", f"{F}/benchmarks/extract_features") for shard in SHARDS]
    of_q = [*shards, f"{F}/benchmarks/score_quality.tsv"]
    found = {}
    for system in COMPARED:
        trainings = [f"{folder_of(*training.record[:2], seed)}/benchmarks/{training.record[2]}.tsv" for training in system.trainings for seed in system.seeds]
        before = [*(extractor if system.start.extractor or system.needs_q else []), *(of_q if system.needs_q else [])]
        found[system.key] = {"trainings": trainings, "before": before}
    return found
