# What the rules ask for: inputs and params that depend on the configuration. No rule stands here, no function in the rule files.
from qafm.datasets.folder_digest import dataset_digest


# Stage 1
def require(path, what):
    """End in one line where something the configuration names is missing."""
    if not Path(path).exists():
        raise WorkflowError(f"{path}: no such {what} (config: dataset.{CFG.dataset.kind})")


def raw_digest(raw, manifest):
    """Changes when an image is added, removed or replaced, not when one is touched."""
    try:
        return dataset_digest(CFG.dataset.parse_slice(), raw, manifest, Path(f"{D}/.digests.json"))
    except InputError as error:
        raise WorkflowError(str(error)) from None


# Stages 5 and 6
def extractor_if_used(_wildcards):
    """The extractor, where the branches start from it."""
    return f"{F}/extractor/model.safetensors" if CFG.model.backbone.init == "extractor" else []


def fusion_config(wildcards):
    """The stage's settings; the MSPA baseline differs in its fixed weight alone."""
    fixed = {"fixed": 0.5} if wildcards.fusion == "mspa" else {}
    fusion = CFG.model.fusion
    return fusion.model_copy(update={"alpha": fusion.alpha.model_copy(update=fixed)}).model_dump(mode="json")


def if_pretrained(branch, pretrained):
    """A branch's weights, where it was trained alone before."""
    return f"{SEED}/{branch}/model.safetensors" if pretrained else []


# Stage 7
def searched(name):
    """The embeddings a row is evaluated on: the MSPA baseline has its own."""
    return lambda wildcards: f"{SEED}/embeddings/{'mspa' if wildcards.experiment == 'mspa_0.5' else 'fusion'}.{name}"


def rows_of(experiments):
    """(seed, experiment, artifact) of each row and seed."""
    return [(seed, name, f"{M}/seed-{seed}/ablation/{name}.json") for name in experiments for seed in CFG.seeds]


# Stage 8
def drawn(name, title):
    """A figure in all configured formats; the first one stands in Snakemake's own report."""
    paths = expand("results/figures/{name}.{kind}", name=name, kind=CFG.figures.formats)
    shown = report(paths[0], caption=f"../report/{name}.rst", category="Weight and quality", labels={"figure": title})
    return [shown, *paths[1:]]


def weights_figure(script, module):
    """What the three figures have in common: they draw the first seed's Q and weight."""
    return dict(
        config=CFG.figures.model_dump(mode="json"),
        run=f"{CFG.dataset.name}, {CFG.features.name}, {CFG.model.name}, seed {CFG.seeds[0]}",
        code=code(script, module),
    )
