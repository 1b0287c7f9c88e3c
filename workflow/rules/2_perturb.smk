# Stage 2. Reads: images.parquet. Writes: results/{d}/perturbed/{shard}.parquet, removed once used. Paper section III-C.
KEEP = (lambda path: path) if CFG.runtime.keep_perturbed else temp


rule perturb_images:
    input:
        images=f"{D}/images.parquet",
        extractor=ancient(f"{F}/extractor/model.safetensors"),  # shards are made only when they can be used
    output:
        KEEP(f"{D}/perturbed/{{shard}}.parquet"),
    log:
        f"{D}/logs/perturb_images/{{shard}}.log",
    benchmark:
        f"{D}/benchmarks/perturb_images/{{shard}}.tsv"
    conda:
        ENVIRONMENT
    # As much of the machine as its shard's extract_features, which comes first: else shards would be made faster than used, and pile up.
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        disk_mb=CFG.runtime.shard_disk_mb,
    params:
        config=CFG.perturb.model_dump(mode="json"),
        shards=CFG.dataset.shards,
        code=code("2_perturb_images", "qafm.perturbations.perturb_images"),
    script:
        "../scripts/2_perturb_images.py"
