# Stage 5. Reads: images.parquet, extractor. Writes: results/{d}/{f}/{m}/seed-{s}/apan/, apn/, baseline-{twin}/. Paper sections III-A, III-B, IV.
rule pretrain_apan:
    input:
        images=f"{D}/images.parquet",
        extractor=extractor_if_used,
    output:
        weights=f"{SEED}/apan/model.safetensors",
        history=f"{SEED}/apan/history.csv",
    log:
        f"{SEED}/logs/pretrain_apan.log",
    benchmark:
        f"{SEED}/benchmarks/pretrain_apan.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=CFG.model.pretrain_apan().model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("5_pretrain_apan", "qafm.training.pretrain_apan"),
    script:
        "../scripts/5_pretrain_apan.py"


rule pretrain_apn:
    input:
        images=f"{D}/images.parquet",
        extractor=extractor_if_used,
    output:
        weights=f"{SEED}/apn/model.safetensors",
        history=f"{SEED}/apn/history.csv",
    log:
        f"{SEED}/logs/pretrain_apn.log",
    benchmark:
        f"{SEED}/benchmarks/pretrain_apn.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=CFG.model.pretrain_apn().model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("5_pretrain_apn", "qafm.training.pretrain_apn"),
    script:
        "../scripts/5_pretrain_apn.py"


rule train_baseline:
    input:
        images=f"{D}/images.parquet",
        extractor=extractor_if_used,
    output:
        weights=f"{SEED}/baseline-{{twin}}/model.safetensors",
        history=f"{SEED}/baseline-{{twin}}/history.csv",
    log:
        f"{SEED}/logs/train_baseline-{{twin}}.log",
    benchmark:
        f"{SEED}/benchmarks/train_baseline-{{twin}}.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=CFG.model.train_baseline().model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("5_train_baseline", "qafm.training.train_baseline"),
    script:
        "../scripts/5_train_baseline.py"
