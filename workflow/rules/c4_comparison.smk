# Companion c4, the comparison. Reads: retrieval artifacts of QAFM, the baselines and the companions, learning curves, extractor, images.parquet.
# Writes: results/{d}/{f}/{m}/{name}/{common}/seed-{s}/, results/{d}/{f}/{m}/comparison/, results/comparison.csv, comparison_cost.csv, figures/comparison.*.
# {common} is a companion's network that is trained under the common recipe; BPBReID's are rules of c3. docs/companions.md.
COMMON = f"{M}/{CFG.companions.comparison.name}"
COMMON_RUN = f"{COMMON}/{{common}}/seed-{{seed}}"
COMMON_TRAININGS = common_trainings(CFG)
COMPARED = compared_systems(CFG, BPBREID_VARIANTS)
COMPARED_BOOTSTRAP = CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"})


wildcard_constraints:
    common=any_of(COMMON_TRAININGS),


rule train_common:
    input:
        images=f"{D}/images.parquet",
        extractor=extractor_if_used,
    output:
        weights=f"{COMMON_RUN}/model.safetensors",
        history=f"{COMMON_RUN}/history.csv",
    log:
        f"{COMMON_RUN}/logs/train_common.log",
    benchmark:
        f"{COMMON_RUN}/benchmarks/train_common.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=common_training,
        runtime=RUNTIME,
        code=code("c4_train_common", "qafm.companions.comparison.train_common"),
    script:
        "../scripts/c4_train_common.py"


rule embed_common:
    input:
        images=f"{D}/images.parquet",
        weights=f"{COMMON_RUN}/model.safetensors",
    output:
        f"{COMMON_RUN}/descriptors.parquet",
    log:
        f"{COMMON_RUN}/logs/embed_common.log",
    benchmark:
        f"{COMMON_RUN}/benchmarks/embed_common.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=common_network,
        runtime=RUNTIME,
        code=code("c4_embed_common", "qafm.companions.comparison.embed_common"),
    script:
        "../scripts/c4_embed_common.py"


use rule evaluate_descriptors as evaluate_common with:
    input:
        images=f"{D}/images.parquet",
        descriptors=[f"{COMMON}/{{baseline}}/seed-{{seed}}/descriptors.parquet"],
    output:
        f"{COMMON}/{{baseline}}/seed-{{seed}}/retrieval.json",
    log:
        f"{COMMON}/{{baseline}}/seed-{{seed}}/logs/evaluate_common.log",
    benchmark:
        f"{COMMON}/{{baseline}}/seed-{{seed}}/benchmarks/evaluate_common.tsv"
    wildcard_constraints:
        baseline=any_of(COMMON_TRAININGS),
    params:
        ranks=CFG.ablation.ranks,
        note="",
        same_camera=CFG.dataset.same_camera,
        code=code("7_evaluate_descriptors", "qafm.evaluation.evaluate_descriptors"),


rule describe_compared:
    input:
        [path for each in compared_curves() for histories in each["histories"] for path in histories],
    output:
        f"{M}/comparison/counts.json",
    log:
        f"{M}/comparison/logs/describe_compared.log",
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        systems=compared_curves(),
        code=code("c4_describe_compared", "qafm.companions.comparison.describe_compared"),
    script:
        "../scripts/c4_describe_compared.py"


rule time_inference:
    output:
        f"{M}/comparison/inference.json",
    log:
        f"{M}/comparison/logs/time_inference.log",
    conda:
        ENVIRONMENT
    # All local cores: what runs beside it would be measured, too; the stage itself takes runtime.threads. A cluster, --report and --unlock know no cores.
    threads: lambda wildcards: workflow.resource_settings.cores or CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        systems=[system.timed().model_dump(mode="json") for system in COMPARED],
        batch=CFG.companions.comparison.batch,
        repeats=CFG.companions.comparison.repeats,
        runtime=RUNTIME,
        code=code("c4_time_inference", "qafm.companions.comparison.time_inference"),
    script:
        "../scripts/c4_time_inference.py"


rule tabulate_comparison:
    input:
        artifacts=compared_artifacts(),
        counts=f"{M}/comparison/counts.json",
    output:
        tabled("comparison"),
    log:
        "results/logs/tabulate_comparison.log",
    conda:
        ENVIRONMENT
    params:
        systems=compared_files(COMPARED),
        absent=absent_systems(CFG, absent_variants()),
        run=CFG.table_run(),
        config=COMPARED_BOOTSTRAP,
        code=code("c4_tabulate_comparison", "qafm.companions.comparison.tabulate_comparison"),
    script:
        "../scripts/c4_tabulate_comparison.py"


rule tabulate_cost:
    input:
        artifacts=compared_artifacts(),  # once these are there, all trainings are recorded
        inference=f"{M}/comparison/inference.json",
    output:
        tabled("comparison_cost"),
    log:
        "results/logs/tabulate_cost.log",
    conda:
        ENVIRONMENT
    params:
        systems=[system.model_dump(mode="json") for system in COMPARED],
        records=compared_records(),
        run=CFG.table_run(),
        runtime=RUNTIME,
        code=code("c4_tabulate_cost", "qafm.companions.comparison.tabulate_cost"),
    script:
        "../scripts/c4_tabulate_cost.py"


rule plot_comparison:
    input:
        artifacts=compared_artifacts(),
        counts=f"{M}/comparison/counts.json",
    output:
        drawn("comparison"),
    log:
        "results/logs/plot_comparison.log",
    conda:
        ENVIRONMENT
    params:
        systems=compared_files(COMPARED),
        config=COMPARED_BOOTSTRAP,
        style=CFG.figures.style.model_dump(mode="json"),
        run=f"{CFG.dataset.name}, {CFG.features.name}, {CFG.model.name}",
        code=code("c4_plot_comparison", "qafm.companions.comparison.plot_comparison"),
    script:
        "../scripts/c4_plot_comparison.py"
