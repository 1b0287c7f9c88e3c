# Companion c2, COL780's BigNet and SliceNets. Reads: images.parquet. Writes: results/{d}/companions/slicenet/{name}/{row}/seed-{s}/, results/slicenet.csv, figures.
# {system} is trained; {row} is evaluated: a system, a system's descriptors by their sign, or weights trained elsewhere.
SLICENET_CONFIG = CFG.companions.slicenet
SLICENET = f"{D}/companions/slicenet/{SLICENET_CONFIG.name}"
SLICENET_RUN = f"{SLICENET}/{{row}}/seed-{{seed}}"
SLICENET_COMPARED = [(system, SLICENET_CONFIG.system(system).seeds[0]) for system in SLICENET_CONFIG.compared]

if SLICENET_CONFIG.foreign.file:
    require(SLICENET_CONFIG.foreign.file, "file of weights", "companions.slicenet.foreign.file")


rule train_slicenet:
    input:
        images=f"{D}/images.parquet",
    output:
        weights=f"{SLICENET}/{{system}}/seed-{{seed}}/model.safetensors",
        history=f"{SLICENET}/{{system}}/seed-{{seed}}/history.csv",
    log:
        f"{SLICENET}/{{system}}/seed-{{seed}}/logs/train_slicenet.log",
    benchmark:
        f"{SLICENET}/{{system}}/seed-{{seed}}/benchmarks/train_slicenet.tsv"
    wildcard_constraints:
        system="|".join(name for name, _ in SLICENET_CONFIG.trained()),
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=slicenet_training,
        runtime=RUNTIME,
        code=code("c2_train_slicenet", "qafm.companions.slicenet.train_slicenet"),
    script:
        "../scripts/c2_train_slicenet.py"


rule embed_slicenet:
    input:
        images=f"{D}/images.parquet",
        weights=slicenet_weights,
    output:
        f"{SLICENET_RUN}/descriptors.parquet",
    log:
        f"{SLICENET_RUN}/logs/embed_slicenet.log",
    benchmark:
        f"{SLICENET_RUN}/benchmarks/embed_slicenet.tsv"
    wildcard_constraints:
        row="|".join(name for name, _ in SLICENET_CONFIG.evaluated()),
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=slicenet_network,
        runtime=RUNTIME,
        sign=lambda wildcards: wildcards.row.endswith("_sign"),
        code=code("c2_embed_slicenet", "qafm.companions.slicenet.embed_slicenet"),
    script:
        "../scripts/c2_embed_slicenet.py"


rule evaluate_slicenet:
    input:
        images=f"{D}/images.parquet",
        descriptors=f"{SLICENET_RUN}/descriptors.parquet",
    output:
        retrieval=f"{SLICENET_RUN}/retrieval.json",
        protocols=f"{SLICENET_RUN}/protocols.json",
    log:
        f"{SLICENET_RUN}/logs/evaluate_slicenet.log",
    benchmark:
        f"{SLICENET_RUN}/benchmarks/evaluate_slicenet.tsv"
    wildcard_constraints:
        row="|".join(name for name, _ in SLICENET_CONFIG.evaluated()),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        ranks=CFG.ablation.ranks,
        same_camera=CFG.dataset.same_camera,
        note=lambda wildcards: SLICENET_CONFIG.describe(wildcards.row),
        code=code("c2_evaluate_slicenet", "qafm.companions.slicenet.evaluate_slicenet"),
    script:
        "../scripts/c2_evaluate_slicenet.py"


rule tabulate_slicenet:
    input:
        images=f"{D}/images.parquet",
        protocols=[path for _, _, path in slicenet_files("protocols.json", SLICENET_CONFIG.evaluated())],
        histories=[path for _, _, path in slicenet_files("history.csv", SLICENET_CONFIG.trained())],
    output:
        tabled("slicenet"),
    log:
        "results/logs/tabulate_slicenet.log",
    conda:
        ENVIRONMENT
    params:
        rows=slicenet_files("protocols.json", SLICENET_CONFIG.evaluated()),
        histories=slicenet_files("history.csv", SLICENET_CONFIG.trained()),
        records=slicenet_files("benchmarks/train_slicenet.tsv", SLICENET_CONFIG.trained()),  # no inputs: without them nothing is made again
        config=SLICENET_CONFIG.model_dump(mode="json"),
        dataset=CFG.dataset.name,
        code=code("c2_tabulate_slicenet", "qafm.companions.slicenet.tabulate_slicenet"),
    script:
        "../scripts/c2_tabulate_slicenet.py"


rule choose_slicenet_cases:
    input:
        images=f"{D}/images.parquet",
        descriptors=[path for _, _, path in slicenet_files("descriptors.parquet", SLICENET_COMPARED)],
    output:
        f"{SLICENET}/cases.json",
    log:
        f"{SLICENET}/logs/choose_slicenet_cases.log",
    conda:
        ENVIRONMENT
    params:
        systems=SLICENET_CONFIG.compared,
        same_camera=CFG.dataset.same_camera,
        code=code("c2_choose_slicenet_cases", "qafm.companions.slicenet.choose_slicenet_cases"),
    script:
        "../scripts/c2_choose_slicenet_cases.py"


rule plot_slicenet_cases:
    input:
        images=f"{D}/images.parquet",
        cases=f"{SLICENET}/cases.json",
    output:
        **{kind: drawn(f"slicenet_{kind}") for kind in SLICENET_CASES},
    log:
        "results/logs/plot_slicenet_cases.log",
    conda:
        ENVIRONMENT
    params:
        style=CFG.figures.style.model_dump(mode="json"),
        run=f"{CFG.dataset.name}, {' and '.join(f'{system} seed {seed}' for system, seed in SLICENET_COMPARED)}",
        described={system: SLICENET_CONFIG.describe(system) for system in SLICENET_CONFIG.compared},
        code=code("c2_plot_slicenet_cases", "qafm.companions.slicenet.plot_slicenet_cases"),
    script:
        "../scripts/c2_plot_slicenet_cases.py"
