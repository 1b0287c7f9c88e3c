# Stage 3. Reads: images.parquet, perturbed shards. Writes: results/{d}/{f}/extractor/, features/{shard}.parquet. Paper section III-C.
rule train_extractor:
    input:
        images=f"{D}/images.parquet",
    output:
        weights=f"{F}/extractor/model.safetensors",
        history=f"{F}/extractor/history.csv",
    log:
        f"{F}/logs/train_extractor.log",
    benchmark:
        f"{F}/benchmarks/train_extractor.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=CFG.features.extractor.model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("3_train_extractor", "qafm.training.train_extractor"),
    script:
        "../scripts/3_train_extractor.py"


rule extract_features:
    input:
        perturbed=f"{D}/perturbed/{{shard}}.parquet",
        weights=f"{F}/extractor/model.safetensors",
    output:
        f"{F}/features/{{shard}}.parquet",
    log:
        f"{F}/logs/extract_features/{{shard}}.log",
    benchmark:
        f"{F}/benchmarks/extract_features/{{shard}}.tsv"
    priority: 1  # a shard is removed once it is used
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        backbone=CFG.features.extractor.backbone.model_dump(mode="json"),
        extract=CFG.features.extract.model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("3_extract_features", "qafm.features.extract_features"),
    script:
        "../scripts/3_extract_features.py"
