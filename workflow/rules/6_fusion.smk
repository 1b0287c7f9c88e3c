# Stage 6. Reads: both branches, Q. Writes: results/{d}/{f}/{m}/seed-{s}/fusion/, embeddings/. Paper sections III-D, IV; Eq. 2, 3, 6.
# {twin} is "a" or "b": two Bag-of-Tricks baselines that differ in their draws alone.
# {stage} is "apan" or "fusion": what APAN knows of the attributes after stage 1 and after stage 2 (results/attributes.csv).
# {fusion} is "fusion", the model as configured, or "mspa", the same trained at a fixed weight of 0.5 (the MSPA baseline).
rule train_fusion:
    input:
        images=f"{D}/images.parquet",
        quality=f"{F}/quality.parquet",
        summary=f"{F}/quality.json",
        apn=if_pretrained("apn", CFG.model.apn.pretrain),
        apan=if_pretrained("apan", STAGE_1),
        extractor=lambda wildcards: [] if CFG.model.apn.pretrain and STAGE_1 else extractor_if_used(wildcards),
    output:
        weights=f"{SEED}/{{fusion}}/model.safetensors",
        history=f"{SEED}/{{fusion}}/history.csv",
    log:
        f"{SEED}/logs/train_{{fusion}}.log",
    benchmark:
        f"{SEED}/benchmarks/train_{{fusion}}.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        fusion=fusion_config,
        architecture=CFG.model.architecture().model_dump(mode="json"),
        same_camera=CFG.dataset.same_camera,
        runtime=RUNTIME,
        code=code("6_train_fusion", "qafm.training.train_fusion"),
    script:
        "../scripts/6_train_fusion.py"


rule embed_images:
    input:
        images=f"{D}/images.parquet",
        quality=f"{F}/quality.parquet",
        weights=f"{SEED}/{{fusion}}/model.safetensors",
    output:
        embeddings=f"{SEED}/embeddings/{{fusion}}.parquet",
        head=f"{SEED}/embeddings/{{fusion}}.head.safetensors",
    log:
        f"{SEED}/logs/embed_{{fusion}}.log",
    benchmark:
        f"{SEED}/benchmarks/embed_{{fusion}}.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        model=model_config,
        runtime=RUNTIME,
        code=code("6_embed_images", "qafm.features.embed_images"),
    script:
        "../scripts/6_embed_images.py"


rule embed_baseline:
    input:
        images=f"{D}/images.parquet",
        weights=f"{SEED}/baseline-{{twin}}/model.safetensors",
    output:
        f"{SEED}/embeddings/baseline-{{twin}}.parquet",
    log:
        f"{SEED}/logs/embed_baseline-{{twin}}.log",
    benchmark:
        f"{SEED}/benchmarks/embed_baseline-{{twin}}.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        backbone=CFG.model.backbone.model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("6_embed_baseline", "qafm.features.embed_baseline"),
    script:
        "../scripts/6_embed_baseline.py"


rule embed_degraded:
    input:
        images=f"{D}/images.parquet",
        weights=f"{SEED}/fusion/model.safetensors",
        extractor=f"{F}/extractor/model.safetensors" if CFG.quality.source == "compute" else [],
    output:
        f"{SEED}/embeddings/degraded.parquet",
    log:
        f"{SEED}/logs/embed_degraded.log",
    benchmark:
        f"{SEED}/benchmarks/embed_degraded.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=CFG.degradations.model_dump(mode="json"),
        q=CFG.q_network().model_dump(mode="json"),
        model=model_config,
        runtime=RUNTIME,
        code=code("6_embed_degraded", "qafm.features.embed_degraded"),
    script:
        "../scripts/6_embed_degraded.py"


rule score_attributes:
    input:
        images=f"{D}/images.parquet",
        weights=f"{SEED}/{{stage}}/model.safetensors",
    output:
        f"{SEED}/{{stage}}/attributes.csv",
    log:
        f"{SEED}/logs/score_attributes_{{stage}}.log",
    benchmark:
        f"{SEED}/benchmarks/score_attributes_{{stage}}.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        architecture=CFG.model.architecture().model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("6_score_attributes", "qafm.features.score_attributes"),
    script:
        "../scripts/6_score_attributes.py"
