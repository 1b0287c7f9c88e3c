# Stage 7. Reads: embeddings. Writes: .../ablation/{experiment}.json, .../reranked/{experiment}.json, .../ranking.parquet, results/table4.csv,
# table4_extra.csv, reranked.csv. Paper Table 4. No image is read.
from qafm.config.ablation import RIVAL_TRAININGS

BRANCH_ROWS = ("apn_descriptor", "apan_descriptor", "best_fixed", "oracle_query")
BASELINES = {  # row: note
    "baseline": "Bag-of-Tricks: one network of the branches' own backbone",
    "baseline_twins": "two such networks, different draws, concatenated",
}
PAPER_ROWS = CFG.ablation.paper_experiments()
EXTRA_ROWS = ("qafm", *CFG.ablation.extra_experiments(), *CFG.ablation.rivals)
RERANKED_ROWS = ("qafm", "apn_descriptor", "apan_descriptor", "concat_0.5")


rule evaluate_alpha:
    input:
        images=f"{D}/images.parquet",
        embeddings=searched("parquet"),
        head=searched("head.safetensors"),
    output:
        f"{SEED}/ablation/{{experiment}}.json",
    log:
        f"{SEED}/logs/evaluate_alpha/{{experiment}}.log",
    benchmark:
        f"{SEED}/benchmarks/evaluate_alpha/{{experiment}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        config=lambda wildcards: CFG.ablation.read_by(wildcards.experiment).model_dump(mode="json"),
        same_camera=CFG.dataset.same_camera,
        code=code("7_evaluate_alpha", "qafm.evaluation.evaluate_alpha"),
    script:
        "../scripts/7_evaluate_alpha.py"


rule evaluate_descriptors:
    input:
        images=f"{D}/images.parquet",
        descriptors=lambda wildcards: [f"{SEED}/embeddings/{stage}.parquet" for stage in RIVAL_TRAININGS[wildcards.baseline]],
    output:
        f"{SEED}/ablation/{{baseline}}.json",
    log:
        f"{SEED}/logs/evaluate_descriptors/{{baseline}}.log",
    benchmark:
        f"{SEED}/benchmarks/evaluate_descriptors/{{baseline}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        ranks=CFG.ablation.ranks,
        note=lambda wildcards: BASELINES[wildcards.baseline],
        same_camera=CFG.dataset.same_camera,
        code=code("7_evaluate_descriptors", "qafm.evaluation.evaluate_descriptors"),
    script:
        "../scripts/7_evaluate_descriptors.py"


rule rerank_gallery:
    input:
        images=f"{D}/images.parquet",
        embeddings=f"{SEED}/embeddings/fusion.parquet",
        head=f"{SEED}/embeddings/fusion.head.safetensors",
    output:
        f"{SEED}/reranked/{{experiment}}.json",
    log:
        f"{SEED}/logs/rerank_gallery/{{experiment}}.log",
    benchmark:
        f"{SEED}/benchmarks/rerank_gallery/{{experiment}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        config=CFG.rerank.model_dump(mode="json"),
        ranks=list(CFG.ablation.ranks),
        same_camera=CFG.dataset.same_camera,
        code=code("7_rerank_gallery", "qafm.evaluation.rerank_gallery"),
    script:
        "../scripts/7_rerank_gallery.py"


rule rank_gallery:
    input:
        images=f"{D}/images.parquet",
        embeddings=f"{SEED}/embeddings/fusion.parquet",
        head=f"{SEED}/embeddings/fusion.head.safetensors",
    output:
        f"{SEED}/ranking.parquet",
    log:
        f"{SEED}/logs/rank_gallery.log",
    benchmark:
        f"{SEED}/benchmarks/rank_gallery.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        depth=CFG.report.ranks,
        same_camera=CFG.dataset.same_camera,
        code=code("7_rank_gallery", "qafm.evaluation.rank_gallery"),
    script:
        "../scripts/7_rank_gallery.py"


rule tabulate_ablation:
    input:
        [path for _, _, path in rows_of(PAPER_ROWS)],
    output:
        tabled("table4"),
    log:
        "results/logs/tabulate_ablation.log",
    conda:
        ENVIRONMENT
    params:
        rows=rows_of(PAPER_ROWS),
        run=CFG.table_run(),
        code=code("7_tabulate_ablation", "qafm.evaluation.tabulate_ablation"),
    script:
        "../scripts/7_tabulate_ablation.py"


rule tabulate_extra:
    input:
        [path for _, _, path in rows_of(EXTRA_ROWS)],
    output:
        tabled("table4_extra"),
    log:
        "results/logs/tabulate_extra.log",
    conda:
        ENVIRONMENT
    params:
        rows=rows_of(EXTRA_ROWS),
        run=CFG.table_run(),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        code=code("7_tabulate_extra", "qafm.evaluation.tabulate_extra"),
    script:
        "../scripts/7_tabulate_extra.py"


rule tabulate_reranked:
    input:
        before=[path for _, _, path in rows_of(RERANKED_ROWS)],
        after=[path for _, _, path in rows_of(RERANKED_ROWS, "reranked")],
    output:
        tabled("reranked"),
    log:
        "results/logs/tabulate_reranked.log",
    conda:
        ENVIRONMENT
    params:
        before=rows_of(RERANKED_ROWS),
        after=rows_of(RERANKED_ROWS, "reranked"),
        run=CFG.table_run(),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        code=code("7_tabulate_reranked", "qafm.evaluation.tabulate_reranked"),
    script:
        "../scripts/7_tabulate_reranked.py"
