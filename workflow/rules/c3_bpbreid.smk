# Companion c3, BPBReID. Reads: images.parquet, part masks, extractor, Bag-of-Tricks baseline, QAFM. Writes: results/{d}/companions/bpbreid/{name}-{variant}/seed-{s}/,
# results/bpbreid.csv, results/partial.csv, results/figures/bpbreid_*. Somers et al., WACV 2023; docs/companions.md.
# {variant} is what the part attention is made from; {system} is a variant, the baseline or QAFM, by its folder below results/{d}. {parts} heads a variant's folder:
# as configured, or under the common recipe of the comparison.
from qafm.companions.bpbreid.views import PROTOCOLS, VIEWS

BPBREID = CFG.companions.bpbreid
BPBREID_OWN = f"companions/bpbreid/{BPBREID.name}"
BPBREID_COMMON = f"{CFG.features.name}/{CFG.model.name}/{CFG.companions.comparison.name}/bpbreid"
BPBREID_RUN = f"{D}/{{parts}}-{{variant}}/seed-{{seed}}"
BPBREID_MASKS = part_masks()
BPBREID_VARIANTS = [variant for variant in BPBREID.variants if variant != "masks" or BPBREID_MASKS]
BPBREID_MASK_CONTENTS = mask_contents()
BPBREID_SEARCH = f"{D}/{{system}}/seed-{{seed}}"
BPBREID_VISIBILITIES = {
    variant: ("none",) if variant == "stripes" else ("binary", "continuous", "none") for variant in BPBREID_VARIANTS
}  # a stripe is always visible
BPBREID_FUSED = f"{CFG.features.name}/{CFG.model.name}/partial"
BPBREID_BASELINES = {"Bag of Tricks": f"{CFG.features.name}/{CFG.model.name}", "QAFM": BPBREID_FUSED}  # system: its folder; embed_*views make its views


wildcard_constraints:
    parts=any_of([BPBREID_OWN, BPBREID_COMMON]),
    variant="|".join(BPBREID.variants),
    visibility="none|binary|continuous",


rule train_bpbreid:
    input:
        images=f"{D}/images.parquet",
        extractor=parts_extractor,
        manifest=lambda wildcards: masks_are_made(wildcards.variant == "masks"),
    output:
        weights=f"{BPBREID_RUN}/model.safetensors",
        history=f"{BPBREID_RUN}/history.csv",
    log:
        f"{BPBREID_RUN}/logs/train_bpbreid.log",
    benchmark:
        f"{BPBREID_RUN}/benchmarks/train_bpbreid.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=lambda wildcards: parts_training(wildcards).model_dump(mode="json"),
        masks=lambda wildcards: BPBREID_MASKS if wildcards.variant == "masks" else None,
        mask_contents=lambda wildcards: BPBREID_MASK_CONTENTS if wildcards.variant == "masks" else None,
        runtime=RUNTIME,
        code=code("c3_train_bpbreid", "qafm.companions.bpbreid.train_bpbreid"),
    script:
        "../scripts/c3_train_bpbreid.py"


rule embed_bpbreid:
    input:
        images=f"{D}/images.parquet",
        weights=f"{BPBREID_RUN}/model.safetensors",
        manifest=masks_are_made(True),
    output:
        **{view: f"{BPBREID_RUN}/views/{view}.parquet" for view in VIEWS},
        descriptors=f"{BPBREID_RUN}/descriptors.parquet",
        maps=f"{BPBREID_RUN}/maps.parquet",
        summary=f"{BPBREID_RUN}/parts.json",
    log:
        f"{BPBREID_RUN}/logs/embed_bpbreid.log",
    benchmark:
        f"{BPBREID_RUN}/benchmarks/embed_bpbreid.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=parts_model,
        masks=BPBREID_MASKS,
        mask_contents=BPBREID_MASK_CONTENTS,
        halves=BPBREID.halves,
        runtime=RUNTIME,
        code=code("c3_embed_bpbreid", "qafm.companions.bpbreid.embed_bpbreid"),
    script:
        "../scripts/c3_embed_bpbreid.py"


rule embed_views:
    input:
        images=f"{D}/images.parquet",
        weights=f"{SEED}/baseline-a/model.safetensors",
    output:
        **{view: f"{SEED}/views/{view}.parquet" for view in VIEWS},
    log:
        f"{SEED}/logs/embed_views.log",
    benchmark:
        f"{SEED}/benchmarks/embed_views.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        backbone=CFG.model.backbone.model_dump(mode="json"),
        halves=BPBREID.halves,
        runtime=RUNTIME,
        code=code("c3_embed_views", "qafm.companions.bpbreid.embed_views"),
    script:
        "../scripts/c3_embed_views.py"


rule embed_fused_views:
    input:
        images=f"{D}/images.parquet",
        quality=f"{F}/quality.parquet",
        weights=f"{SEED}/fusion/model.safetensors",
        extractor=f"{F}/extractor/model.safetensors" if CFG.quality.source == "compute" else [],
    output:
        **{view: f"{D}/{BPBREID_FUSED}/seed-{{seed}}/views/{view}.parquet" for view in VIEWS},
    log:
        f"{SEED}/logs/embed_fused_views.log",
    benchmark:
        f"{SEED}/benchmarks/embed_fused_views.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        q=CFG.q_network().model_dump(mode="json"),
        model=model_config,
        halves=BPBREID.halves,
        runtime=RUNTIME,
        code=code("c3_embed_fused_views", "qafm.companions.bpbreid.embed_fused_views"),
    script:
        "../scripts/c3_embed_fused_views.py"


use rule evaluate_descriptors as evaluate_foreground with:
    input:
        images=f"{D}/images.parquet",
        descriptors=[f"{D}/companions/bpbreid/{{baseline}}/seed-{{seed}}/descriptors.parquet"],
    output:
        f"{D}/companions/bpbreid/{{baseline}}/seed-{{seed}}/retrieval/foreground.json",
    log:
        f"{D}/companions/bpbreid/{{baseline}}/seed-{{seed}}/logs/evaluate_foreground.log",
    benchmark:
        f"{D}/companions/bpbreid/{{baseline}}/seed-{{seed}}/benchmarks/evaluate_foreground.tsv"
    wildcard_constraints:
        baseline="[^/]+",
    params:
        ranks=CFG.ablation.ranks,
        note="",
        same_camera=CFG.dataset.same_camera,
        code=code("7_evaluate_descriptors", "qafm.evaluation.evaluate_descriptors"),


rule evaluate_parts:
    input:
        **{view: f"{BPBREID_SEARCH}/views/{view}.parquet" for view in VIEWS},
        images=f"{D}/images.parquet",
    output:
        **{f"{query}_{gallery}": f"{BPBREID_SEARCH}/retrieval/{query}-{gallery}-{{visibility}}.json" for query, gallery in PROTOCOLS},
    log:
        f"{BPBREID_SEARCH}/logs/evaluate_parts/{{visibility}}.log",
    benchmark:
        f"{BPBREID_SEARCH}/benchmarks/evaluate_parts/{{visibility}}.tsv"
    wildcard_constraints:
        system=any_of([*(f"{parts}-{variant}" for parts in (BPBREID_OWN, BPBREID_COMMON) for variant in BPBREID_VARIANTS), *BPBREID_BASELINES.values()]),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        foreground=BPBREID.foreground,
        ranks=CFG.ablation.ranks,
        same_camera=CFG.dataset.same_camera,
        code=code("c3_evaluate_parts", "qafm.companions.bpbreid.evaluate_parts"),
    script:
        "../scripts/c3_evaluate_parts.py"


rule rank_parts:
    input:
        images=f"{D}/images.parquet",
        embeddings=f"{BPBREID_RUN}/views/full.parquet",
    output:
        f"{BPBREID_RUN}/ranking.parquet",
    log:
        f"{BPBREID_RUN}/logs/rank_parts.log",
    benchmark:
        f"{BPBREID_RUN}/benchmarks/rank_parts.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        foreground=BPBREID.foreground,
        depth=BPBREID.ranks,
        same_camera=CFG.dataset.same_camera,
        code=code("c3_rank_parts", "qafm.companions.bpbreid.rank_parts"),
    script:
        "../scripts/c3_rank_parts.py"


rule tabulate_bpbreid:
    input:
        artifacts=[path for files in variant_files() for _, _, path in files["rows"]],
        others=[path for files in variant_files() for kind in ("summaries", "histories") for path in files[kind]],
    output:
        tabled("bpbreid"),
    log:
        "results/logs/tabulate_bpbreid.log",
    conda:
        ENVIRONMENT
    params:
        variants=variant_files(),  # the records of time among them are no inputs: without them nothing is made again
        absent=absent_variants(),
        compared=parts_compared(),
        run=part_run(),
        code=code("c3_tabulate_bpbreid", "qafm.companions.bpbreid.tabulate_bpbreid"),
    script:
        "../scripts/c3_tabulate_bpbreid.py"


rule tabulate_partial:
    input:
        [path for files in partial_files() for _, _, path in files["rows"]],
    output:
        tabled("partial"),
    log:
        "results/logs/tabulate_partial.log",
    conda:
        ENVIRONMENT
    params:
        systems=partial_files(),
        run=part_run(),
        code=code("c3_tabulate_partial", "qafm.companions.bpbreid.tabulate_partial"),
    script:
        "../scripts/c3_tabulate_partial.py"


rule plot_parts:
    input:
        **first_variant_files(),
        images=f"{D}/images.parquet",
    output:
        **{kind: drawn(f"bpbreid_{kind}") for kind in BPBREID_FIGURES},
        chosen=f"{D}/companions/bpbreid/examples.json",
    log:
        "results/logs/plot_parts.log",
    conda:
        ENVIRONMENT
    params:
        style=CFG.figures.style.model_dump(mode="json"),
        run=f"{CFG.dataset.name}, {BPBREID.name}-{''.join(BPBREID_VARIANTS[:1])}, seed {CFG.seeds[0]}",
        examples=CFG.figures.examples.model_dump(mode="json", include={"success", "failure"}),
        depth=BPBREID.ranks,
        foreground=BPBREID.foreground,
        code=code("c3_plot_parts", "qafm.companions.bpbreid.plot_parts"),
    script:
        "../scripts/c3_plot_parts.py"
