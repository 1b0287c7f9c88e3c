# Stage 4. Reads: features of all variants, for the table the images. Writes: results/{d}/{f}/quality.parquet, quality.json, results/quality.csv. Paper Eq. 1.
rule score_quality:
    input:
        images=f"{D}/images.parquet",
        features=expand(f"{F}/features/{{shard}}.parquet", shard=SHARDS) if CFG.quality.source == "compute" else [],
        published=CFG.quality.published or [],
    output:
        quality=f"{F}/quality.parquet",
        summary=f"{F}/quality.json",
    log:
        f"{F}/logs/score_quality.log",
    benchmark:
        f"{F}/benchmarks/score_quality.tsv"
    conda:
        ENVIRONMENT
    params:
        config=CFG.quality.score_slice().model_dump(mode="json"),
        perturb=CFG.perturb.model_dump(mode="json"),
        code=code("4_score_quality", "qafm.quality.score_quality"),
    script:
        "../scripts/4_score_quality.py"


rule describe_quality:
    input:
        images=f"{D}/images.parquet",
        quality=f"{F}/quality.parquet",
        compare=CFG.quality.compare or [],
    output:
        tabled("quality"),
    log:
        "results/logs/describe_quality.log",
    benchmark:
        f"{F}/benchmarks/describe_quality.tsv"
    conda:
        ENVIRONMENT
    params:
        dataset=CFG.dataset.name,
        features=CFG.features.name,
        samples=CFG.ablation.bootstrap_samples,
        seed=CFG.ablation.seed,
        code=code("4_describe_quality", "qafm.quality.describe_quality"),
    script:
        "../scripts/4_describe_quality.py"
