# What the rules ask for: inputs and params that depend on the configuration. No rule stands here, no function in the rule files.
from qafm.datasets.folder_digest import dataset_digest


# Stage 1
def require(path, what, key=f"dataset.{CFG.dataset.kind}"):
    """End in one line where something the configuration names is missing."""
    if not Path(path).exists():
        raise WorkflowError(f"{path}: no such {what} (config: {key})")


def raw_digest(raw, manifest):
    """Changes when an image of the set, or of the one it is tested on, is added, removed or replaced, not when one is touched."""
    config = CFG.dataset.parse_slice()
    tested = config.test_slice()
    try:
        own = dataset_digest(config, raw, manifest, Path(f"{D}/.digests.json"))
        return own if tested is None else [own, dataset_digest(tested, tested.root(), manifest, Path(f"{D}/.test_digests.json"))]
    except InputError as error:
        raise WorkflowError(str(error)) from None


# Stages 5 and 6
def extractor_if_used(_wildcards):
    """The extractor, where the branches start from it."""
    return f"{F}/extractor/model.safetensors" if CFG.model.backbone.init == "extractor" else []


def fusion_config(wildcards):
    """The stage's settings; the MSPA baseline differs in its fixed weight alone."""
    return _fusion(wildcards.fusion).model_dump(mode="json")


def model_config(wildcards):
    """What the trained model is built from; of the run's own where no other is named."""
    return _fusion(getattr(wildcards, "fusion", "fusion")).model_slice(CFG.model.architecture()).model_dump(mode="json")


def _fusion(name):
    fusion = CFG.model.fusion
    return fusion.model_copy(update={"alpha": fusion.alpha.model_copy(update={"fixed": 0.5})}) if name == "mspa" else fusion


def if_pretrained(branch, pretrained):
    """A branch's weights, where it was trained alone before."""
    return f"{SEED}/{branch}/model.safetensors" if pretrained else []


# Stage 7
def searched(name):
    """The embeddings a row is evaluated on: the MSPA baseline has its own."""
    return lambda wildcards: f"{SEED}/embeddings/{'mspa' if wildcards.experiment == 'mspa_0.5' else 'fusion'}.{name}"


def rows_of(experiments, folder="ablation"):
    """(seed, experiment, artifact) of each row and seed."""
    return [(seed, name, f"{M}/seed-{seed}/{folder}/{name}.json") for name in experiments for seed in CFG.seeds]


BRANCHES_OF = {"branches": ("apn", "apan"), "baselines": (None, None), "apn_seeds": ("apn", "apn"), "apan_seeds": ("apan", "apan")}


def next_seed(seed):
    """The seed after this one in the configuration, the first after the last."""
    if int(seed) not in CFG.seeds:
        raise WorkflowError(f"seed {seed}: none of this run's seeds ({', '.join(map(str, CFG.seeds))}), so none follows it (config: seeds)")
    return CFG.seeds[(CFG.seeds.index(int(seed)) + 1) % len(CFG.seeds)]


def sides_of(wildcards):
    """Files of the two descriptors of a pair: of this seed, or of this seed and the next one."""
    if wildcards.pair == "baselines":
        return [[f"{M}/seed-{wildcards.seed}/embeddings/baseline-{twin}.parquet"] for twin in "ab"]
    seeds = (wildcards.seed, next_seed(wildcards.seed) if wildcards.pair.endswith("_seeds") else wildcards.seed)
    return [[f"{M}/seed-{seed}/embeddings/fusion.{name}" for name in ("parquet", "head.safetensors")] for seed in seeds]


def oracles():
    """(seed, pair, artifact) of each pair and seed; of two seeds there is one pair of a branch with itself, seen from the first."""
    first = CFG.seeds[:1] if len(CFG.seeds) == 2 else CFG.seeds
    return [(seed, pair, f"{M}/seed-{seed}/oracle/{pair}.json") for pair in PAIRS for seed in (first if pair.endswith("_seeds") else CFG.seeds)]


def guides():
    """(seed, artifact) of what each seed's guides of the weight achieved."""
    return [(seed, f"{M}/seed-{seed}/guides.json") for seed in CFG.seeds]


def calibrations():
    """(seed, artifact) of each seed's calibration."""
    return [(seed, f"{M}/seed-{seed}/calibration.json") for seed in CFG.seeds]


# Stage 8
def drawn(name):
    """A figure in all configured formats, the PNG (in Snakemake's own report, too) first, and its caption, which holds the run's numbers."""
    category, title = (FIGURES | COMPANION_FIGURES)[name]
    caption = f"results/figures/{name}.rst"
    kinds = sorted(CFG.figures.style.formats, key=lambda kind: kind != "png")
    first, *others = expand("results/figures/{name}.{kind}", name=name, kind=kinds)
    return [report(first, caption=str(Path(caption).absolute()), category=category, labels={"figure": title}), *others, caption]


def figure(script, module, seeds=CFG.seeds[:1]):
    """What all figures are given: the style, what the run is called, the code's digest."""
    numbers = ", ".join(str(seed) for seed in seeds)
    return dict(
        style=CFG.figures.style.model_dump(mode="json"),
        run=f"{CFG.dataset.name}, {CFG.features.name}, {CFG.model.name}, seed{'s' if len(seeds) > 1 else ''} {numbers}",
        code=code(script, module),
    )


def trained_stages():
    """Folders of what is trained with each seed, in the order of the pipeline."""
    trained = {"apan": STAGE_1, "apn": CFG.model.apn.pretrain, "fusion": True} | dict.fromkeys(CFG.ablation.trained_for_rivals(), True)
    return [stage for stage in ("apan", "apn", "baseline-a", "baseline-b", "fusion", "mspa") if trained.get(stage)]


def histories():
    """(stage, seed, learning curve) of everything that is trained."""
    of_extractor = [("extractor", CFG.features.extractor.seed, f"{F}/extractor/history.csv")] if CFG.extractor_is_needed else []
    of_seeds = [(stage, seed, f"{M}/seed-{seed}/{stage}/history.csv") for stage in trained_stages() for seed in CFG.seeds]
    return [*of_extractor, *of_seeds]


# Stage 9
def attribute_scores():
    """(seed, stage, scores) of APAN after stage 1 and after stage 2."""
    stages = ("apan", "fusion") if STAGE_1 else ("fusion",)
    return [(seed, stage, f"{M}/seed-{seed}/{stage}/attributes.csv") for stage in stages for seed in CFG.seeds]


def tabled(name):
    """A table, shown in Snakemake's own report, too."""
    title = TABLES[name] if name in TABLES else ": ".join(COMPANION_TABLES[name])
    return report(f"results/{name}.csv", caption=f"../report/{name}.rst", category="Tables", labels={"table": title})


def pictured(figures):
    """(title, category, PNG, caption) of figures, for a page."""
    return [(title, category, *expand("results/figures/{name}.{kind}", name=name, kind=["png", "rst"])) for name, (category, title) in figures.items()]


def said_of(table):
    """What a table's caption says."""
    return (Path(workflow.basedir) / "workflow" / "report" / f"{table}.rst").read_text(encoding="utf-8").strip()


def trained_weights():
    """(stage, seed, weights) of everything that is trained; their headers say from what."""
    return [(stage, None if stage == "extractor" else seed, str(Path(path).parent / "model.safetensors")) for stage, seed, path in histories()]


def recorded_costs():
    """(rule, record of time and memory) of every job that takes any. The records are no inputs: without them nothing is made again."""
    of_data = [("generate_synthetic", f"{D}/benchmarks/generate_synthetic.tsv")] if CFG.dataset.kind == "synthetic" else []
    of_data += [("parse_dataset", f"{D}/benchmarks/parse_dataset.tsv")]
    of_extractor = [("train_extractor", f"{F}/benchmarks/train_extractor.tsv")] if CFG.extractor_is_needed else []
    of_shards = [("perturb_images", f"{D}/benchmarks/perturb_images/{shard}.tsv") for shard in SHARDS]
    of_shards += [("extract_features", f"{F}/benchmarks/extract_features/{shard}.tsv") for shard in SHARDS]
    trained = trained_stages()
    names = [(f"pretrain_{stage}", f"pretrain_{stage}") for stage in trained if stage in ("apan", "apn")]
    names += [(f"{does}_baseline", f"{does}_{stage}") for does in ("train", "embed") for stage in trained if stage.startswith("baseline-")]
    names += [(rule, f"{rule.split('_')[0]}_{stage}") for rule in ("train_fusion", "embed_images") for stage in trained if stage in ("fusion", "mspa")]
    names += [("score_attributes", f"score_attributes_{stage}") for _, stage, _ in attribute_scores()[:: len(CFG.seeds)] if "attributes" in TABLES]
    names += [("evaluate_alpha", f"evaluate_alpha/{row}") for row in dict.fromkeys((*PAPER_ROWS, *EXTRA_ROWS)) if row not in BASELINES]
    names += [(rule, rule) for rule in ("embed_degraded", "measure_degraded", "measure_guides", "calibrate_match")]
    names += [("evaluate_descriptors", f"evaluate_descriptors/{row}") for row in EXTRA_ROWS if row in BASELINES]
    names += [("rerank_gallery", f"rerank_gallery/{row}") for row in RERANKED_ROWS]
    of_seeds = [(rule, f"{M}/seed-{seed}/benchmarks/{name}.tsv") for rule, name in names for seed in CFG.seeds]
    of_seeds += [("measure_oracle", f"{M}/seed-{seed}/benchmarks/measure_oracle/{pair}.tsv") for seed, pair, _ in oracles()]
    of_report = [(rule, f"{FIRST}/benchmarks/{rule}.tsv") for rule in ("rank_gallery", "map_activations")]
    quality = [(rule, f"{F}/benchmarks/{rule}.tsv") for rule in ("score_quality", "describe_quality")]
    return [*of_data, *of_extractor, *(of_shards if CFG.quality.source == "compute" else []), *quality, *of_seeds, *of_report]


def make_command(target="all"):
    """What a reader types to get this run."""
    presets = [Path(path).resolve() for path in workflow.overwrite_configfiles]
    named = [str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name) for path in presets]
    together = " ".join(named)
    return f"make {target}" + (f' CONFIG="{together}"' if " " in together else f" CONFIG={together}" if together else "")
