# Stage 8. Reads: artifacts of all stages, mostly of the first seed. Writes: results/figures/, each figure with its caption. Paper Figures 1 to 10.
# Nothing is trained again for a figure; a setting of the style redraws figures alone.
FIRST = f"{M}/seed-{CFG.seeds[0]}"


rule plot_identity:
    input:
        images=f"{D}/images.parquet",
    output:
        drawn("figure1_identity"),
    log:
        "results/logs/plot_identity.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_identity", "qafm.figures.plot_identity"),
        pid=CFG.figures.examples.identity,
    script:
        "../scripts/8_plot_identity.py"


rule describe_model:
    input:
        images=f"{D}/images.parquet",  # the number of identities
    output:
        f"{M}/architecture.json",
    log:
        f"{M}/logs/describe_model.log",
    conda:
        ENVIRONMENT
    params:
        architecture=CFG.model.architecture().model_dump(mode="json"),
        fusion=CFG.model.fusion.model_dump(mode="json"),
        extractor=CFG.features.extractor.backbone.model_dump(mode="json"),
        code=code("8_describe_model", "qafm.models.describe_model"),
    script:
        "../scripts/8_describe_model.py"


rule plot_architecture:
    input:
        description=f"{M}/architecture.json",
    output:
        drawn("figure2_architecture"),
    log:
        "results/logs/plot_architecture.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_architecture", "qafm.figures.plot_architecture"),
        computed=CFG.quality.source == "compute",
    script:
        "../scripts/8_plot_architecture.py"


rule plot_iqa_branch:
    input:
        description=f"{M}/architecture.json",
        images=f"{D}/images.parquet",
    output:
        drawn("figure3_iqa_branch"),
    log:
        "results/logs/plot_iqa_branch.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_iqa_branch", "qafm.figures.plot_iqa_branch"),
        perturb=CFG.perturb.model_dump(mode="json"),
        quality=CFG.quality.score_slice().model_dump(mode="json"),
    script:
        "../scripts/8_plot_iqa_branch.py"


rule plot_identifiability:
    input:
        images=f"{D}/images.parquet",
        quality=f"{F}/quality.parquet",
    output:
        drawn("figure4_identifiability"),
    log:
        "results/logs/plot_identifiability.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_identifiability", "qafm.figures.plot_identifiability"),
        computed=CFG.quality.source == "compute",
    script:
        "../scripts/8_plot_identifiability.py"


rule plot_q:
    input:
        embeddings=f"{FIRST}/embeddings/fusion.parquet",
    output:
        drawn("figure5_q"),
    log:
        "results/logs/plot_q.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_q", "qafm.figures.plot_q"),
        computed=CFG.quality.source == "compute",
        market1501=IS_MARKET,
    script:
        "../scripts/8_plot_q.py"


rule plot_alpha:
    input:
        embeddings=f"{FIRST}/embeddings/fusion.parquet",
    output:
        drawn("figure6_alpha"),
    log:
        "results/logs/plot_alpha.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_alpha", "qafm.figures.plot_alpha"),
        market1501=IS_MARKET,
    script:
        "../scripts/8_plot_alpha.py"


rule plot_q_against_alpha:
    input:
        embeddings=f"{FIRST}/embeddings/fusion.parquet",
    output:
        drawn("figure7_q_against_alpha"),
    log:
        "results/logs/plot_q_against_alpha.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_q_against_alpha", "qafm.figures.plot_q_against_alpha"),
        market1501=IS_MARKET,
    script:
        "../scripts/8_plot_q_against_alpha.py"


rule choose_examples:
    input:
        ranking=f"{FIRST}/ranking.parquet",
    output:
        f"{FIRST}/examples.json",
    log:
        f"{FIRST}/logs/choose_examples.log",
    conda:
        ENVIRONMENT
    params:
        config=CFG.figures.examples.model_dump(mode="json", include={"success", "failure"}),
        code=code("8_choose_examples", "qafm.evaluation.choose_examples"),
    script:
        "../scripts/8_choose_examples.py"


rule map_activations:
    input:
        examples=f"{FIRST}/examples.json",
        images=f"{D}/images.parquet",
        quality=f"{F}/quality.parquet",
        weights=f"{FIRST}/fusion/model.safetensors",
    output:
        f"{FIRST}/activation_maps.parquet",
    log:
        f"{FIRST}/logs/map_activations.log",
    benchmark:
        f"{FIRST}/benchmarks/map_activations.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        model=model_config,
        runtime=RUNTIME,
        code=code("8_map_activations", "qafm.features.map_activations"),
    script:
        "../scripts/8_map_activations.py"


rule plot_activation:
    input:
        maps=f"{FIRST}/activation_maps.parquet",
        images=f"{D}/images.parquet",
    output:
        drawn("figure8_activation"),
    log:
        "results/logs/plot_activation.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_activation", "qafm.figures.plot_activation"),
    script:
        "../scripts/8_plot_activation.py"


rule plot_ranking:
    input:
        ranking=f"{FIRST}/ranking.parquet",
        examples=f"{FIRST}/examples.json",
        images=f"{D}/images.parquet",
    output:
        success=drawn("figure9_success"),
        failure=drawn("figure10_failure"),
    log:
        "results/logs/plot_ranking.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_ranking", "qafm.figures.plot_ranking"),
    script:
        "../scripts/8_plot_ranking.py"


rule plot_training:
    input:
        [path for _, _, path in histories()],
    output:
        drawn("training_curves"),
    log:
        "results/logs/plot_training.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_training", "qafm.figures.plot_training", seeds=CFG.seeds),
        histories=histories(),
    script:
        "../scripts/8_plot_training.py"


rule plot_ablation:
    input:
        [path for _, _, path in rows_of(PAPER_ROWS)],
    output:
        drawn("table4_curve"),
    log:
        "results/logs/plot_ablation.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_ablation", "qafm.figures.plot_ablation", seeds=CFG.seeds),
        rows=rows_of(PAPER_ROWS),
        config=CFG.ablation.model_dump(mode="json", include={"bootstrap_samples", "seed"}),
        market1501=IS_MARKET,
    script:
        "../scripts/8_plot_ablation.py"


rule plot_match_reliability:
    input:
        calibration=f"{FIRST}/calibration.json",
    output:
        drawn("match_reliability"),
    log:
        "results/logs/plot_match_reliability.log",
    conda:
        ENVIRONMENT
    params:
        **figure("8_plot_match_reliability", "qafm.figures.plot_match_reliability"),
    script:
        "../scripts/8_plot_match_reliability.py"
