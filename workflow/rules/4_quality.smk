# Stage 4. Reads: features of all variants. Writes: results/{d}/{f}/quality.parquet, quality.json. Paper Eq. 1.
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
        config=CFG.quality.model_dump(mode="json"),
        perturb=CFG.perturb.model_dump(mode="json"),
        code=code("4_score_quality", "qafm.quality.score_quality"),
    script:
        "../scripts/4_score_quality.py"
