# Stage 7. Reads: embeddings, rows of Table 4. Writes: results/deciles.csv, oracle.csv, guides.csv, degradations.csv, calibration.csv, controls.csv.
# Is there anything to adapt to? The paper's Hypothesis 1, asked of deciles of Q, of weights chosen per query and of degraded queries; then
# what a distance is worth, and what pictures alone give away.
PAIRS = [  # between whose descriptors the weight is sought
    "branches",
    *(["baselines"] if "baseline_twins" in CFG.ablation.rivals else []),
    *(["apn_seeds", "apan_seeds"] if len(CFG.seeds) > 1 else []),
]


rule tabulate_deciles:
    input:
        rows=[path for _, _, path in rows_of((*PAPER_ROWS, *BRANCH_ROWS))],
        embeddings=f"{M}/seed-{CFG.seeds[0]}/embeddings/fusion.parquet",
    output:
        tabled("deciles"),
    log:
        "results/logs/tabulate_deciles.log",
    conda:
        ENVIRONMENT
    params:
        rows=rows_of((*PAPER_ROWS, *BRANCH_ROWS)),
        run=CFG.table_run(),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        code=code("7_tabulate_deciles", "qafm.evaluation.tabulate_deciles"),
    script:
        "../scripts/7_tabulate_deciles.py"


rule measure_oracle:
    input:
        images=f"{D}/images.parquet",
        first=lambda wildcards: sides_of(wildcards)[0],
        second=lambda wildcards: sides_of(wildcards)[1],
    output:
        f"{SEED}/oracle/{{pair}}.json",
    log:
        f"{SEED}/logs/measure_oracle/{{pair}}.log",
    benchmark:
        f"{SEED}/benchmarks/measure_oracle/{{pair}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        branches=lambda wildcards: BRANCHES_OF[wildcards.pair],
        config=CFG.ablation.model_dump(mode="json", include={"grid", "seed"}),
        same_camera=CFG.dataset.same_camera,
        code=code("7_measure_oracle", "qafm.evaluation.measure_oracle"),
    script:
        "../scripts/7_measure_oracle.py"


rule tabulate_oracle:
    input:
        [path for _, _, path in oracles()],
    output:
        tabled("oracle"),
    log:
        "results/logs/tabulate_oracle.log",
    conda:
        ENVIRONMENT
    params:
        rows=oracles(),
        run=CFG.table_run(),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        code=code("7_tabulate_oracle", "qafm.evaluation.tabulate_oracle"),
    script:
        "../scripts/7_tabulate_oracle.py"


rule measure_guides:
    input:
        images=f"{D}/images.parquet",
        embeddings=f"{SEED}/embeddings/fusion.parquet",
        head=f"{SEED}/embeddings/fusion.head.safetensors",
        quality=f"{F}/quality.parquet",
        compare=CFG.quality.compare or [],
    output:
        f"{SEED}/guides.json",
    log:
        f"{SEED}/logs/measure_guides.log",
    benchmark:
        f"{SEED}/benchmarks/measure_guides.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        config=CFG.ablation.model_dump(mode="json", include={"grid", "seed"}),
        same_camera=CFG.dataset.same_camera,
        code=code("7_measure_guides", "qafm.guides.measure_guides"),
    script:
        "../scripts/7_measure_guides.py"


rule tabulate_guides:
    input:
        [path for _, path in guides()],
    output:
        tabled("guides"),
    log:
        "results/logs/tabulate_guides.log",
    conda:
        ENVIRONMENT
    params:
        files=guides(),
        run=CFG.table_run(),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        code=code("7_tabulate_guides", "qafm.guides.tabulate_guides"),
    script:
        "../scripts/7_tabulate_guides.py"


rule calibrate_match:
    input:
        images=f"{D}/images.parquet",
        embeddings=f"{SEED}/embeddings/fusion.parquet",
        head=f"{SEED}/embeddings/fusion.head.safetensors",
    output:
        f"{SEED}/calibration.json",
    log:
        f"{SEED}/logs/calibrate_match.log",
    benchmark:
        f"{SEED}/benchmarks/calibrate_match.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        dataset=CFG.dataset.name,
        config=CFG.calibration.model_dump(mode="json"),
        code=code("7_calibrate_match", "qafm.calibration.calibrate_match"),
    script:
        "../scripts/7_calibrate_match.py"


rule tabulate_calibration:
    input:
        [path for _, path in calibrations()],
    output:
        tabled("calibration"),
    log:
        "results/logs/tabulate_calibration.log",
    conda:
        ENVIRONMENT
    params:
        files=calibrations(),
        run=CFG.table_run(),
        code=code("7_tabulate_calibration", "qafm.calibration.tabulate_calibration"),
    script:
        "../scripts/7_tabulate_calibration.py"


rule measure_degraded:
    input:
        images=f"{D}/images.parquet",
        embeddings=f"{SEED}/embeddings/fusion.parquet",
        head=f"{SEED}/embeddings/fusion.head.safetensors",
        degraded=f"{SEED}/embeddings/degraded.parquet",
    output:
        f"{SEED}/degraded.parquet",
    log:
        f"{SEED}/logs/measure_degraded.log",
    benchmark:
        f"{SEED}/benchmarks/measure_degraded.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        grid=CFG.ablation.grid,
        same_camera=CFG.dataset.same_camera,
        code=code("7_measure_degraded", "qafm.evaluation.measure_degraded"),
    script:
        "../scripts/7_measure_degraded.py"


rule tabulate_degradations:
    input:
        expand(f"{SEED}/degraded.parquet", seed=CFG.seeds),
    output:
        tabled("degradations"),
    log:
        "results/logs/tabulate_degradations.log",
    conda:
        ENVIRONMENT
    params:
        grid=CFG.ablation.grid,
        run=CFG.table_run(),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        code=code("7_tabulate_degradations", "qafm.evaluation.tabulate_degradations"),
    script:
        "../scripts/7_tabulate_degradations.py"


if CFG.dataset.generated:

    rule measure_controls:
        input:
            images=f"{D}/images.parquet",
            manifest=MANIFEST,  # the masks and true attributes lie beside the images it lists
        output:
            tabled("controls"),
        log:
            "results/logs/measure_controls.log",
        conda:
            ENVIRONMENT
        params:
            config=CFG.controls.model_dump(mode="json"),
            same_camera=CFG.dataset.same_camera,
            raw=str(RAW),
            code=code("7_measure_controls", "qafm.evaluation.measure_controls"),
        script:
            "../scripts/7_measure_controls.py"
