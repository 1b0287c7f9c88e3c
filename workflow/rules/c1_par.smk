# Companion c1: PAR and siamese. Reads: images.parquet. Writes: results/{d}/companions/par/, siamese/, results/par_accuracy.csv, par_f1.csv, siamese.csv.
# Report of the University of Trento: pedestrian attribute recognition and siamese re-identification; docs/companions.md.
from qafm.config.par import ARMS

PAR_CONFIG = CFG.companions.par
PAR = f"{D}/companions/{PAR_CONFIG.name}"
SIAMESE = f"{D}/companions/{PAR_CONFIG.siamese.name}"
PAR_SEED = f"{PAR}/{{loss}}/seed-{{seed}}"
SIAMESE_SEED = f"{SIAMESE}/{{arm}}/seed-{{seed}}"
PAR_TABLES = ("par_accuracy", "par_f1", "siamese")
PAR_FIGURES = ("par_labels", "siamese_distances")
MULTI_COLOR = PAR_CONFIG.multi(CFG.dataset.kind)


wildcard_constraints:
    loss="|".join(PAR_CONFIG.losses),
    arm="|".join(ARMS),


rule train_par:
    input:
        images=f"{D}/images.parquet",
    output:
        weights=f"{PAR_SEED}/model.safetensors",
        history=f"{PAR_SEED}/history.csv",
    log:
        f"{PAR_SEED}/logs/train_par.log",
    benchmark:
        f"{PAR_SEED}/benchmarks/train_par.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=par_config,
        runtime=RUNTIME,
        code=code("c1_train_par", "qafm.companions.par.train_par"),
    script:
        "../scripts/c1_train_par.py"


rule predict_par:
    input:
        images=f"{D}/images.parquet",
        weights=f"{PAR_SEED}/model.safetensors",
    output:
        f"{PAR_SEED}/predictions.parquet",
    log:
        f"{PAR_SEED}/logs/predict_par.log",
    benchmark:
        f"{PAR_SEED}/benchmarks/predict_par.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        backbone=PAR_CONFIG.backbone.model_dump(mode="json"),
        split=PAR_CONFIG.split.model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("c1_predict_par", "qafm.companions.par.predict_par"),
    script:
        "../scripts/c1_predict_par.py"


rule tabulate_par:
    input:
        predictions=[path for _, _, path in par_predictions()],
        images=f"{D}/images.parquet",
    output:
        accuracy=tabled("par_accuracy"),
        macro_f1=tabled("par_f1"),
    log:
        "results/logs/tabulate_par.log",
    conda:
        ENVIRONMENT
    params:
        files=par_predictions(),
        run=dict(
            dataset=CFG.dataset.name,
            init=PAR_CONFIG.backbone.init,
            market1501=IS_MARKET,
            multi_color=MULTI_COLOR,
            train_share=PAR_CONFIG.split.train_share,
            split_seed=PAR_CONFIG.split.seed,
        ),
        code=code("c1_tabulate_par", "qafm.companions.par.tabulate_par"),
    script:
        "../scripts/c1_tabulate_par.py"


rule plot_labels:
    input:
        images=f"{D}/images.parquet",
    output:
        drawn("par_labels"),
    log:
        "results/logs/plot_labels.log",
    conda:
        ENVIRONMENT
    params:
        style=CFG.figures.style.model_dump(mode="json"),
        run=CFG.dataset.name,
        multi_color=MULTI_COLOR,
        code=code("c1_plot_labels", "qafm.companions.par.plot_labels"),
    script:
        "../scripts/c1_plot_labels.py"


rule train_siamese:
    input:
        images=f"{D}/images.parquet",
        par=par_if_transferred,
        as_long_as=curves_of_transfer,
    output:
        weights=f"{SIAMESE_SEED}/model.safetensors",
        history=f"{SIAMESE_SEED}/history.csv",
    log:
        f"{SIAMESE_SEED}/logs/train_siamese.log",
    benchmark:
        f"{SIAMESE_SEED}/benchmarks/train_siamese.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        config=PAR_CONFIG.train_siamese().model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("c1_train_siamese", "qafm.companions.par.train_siamese"),
    script:
        "../scripts/c1_train_siamese.py"


rule embed_siamese:
    input:
        images=f"{D}/images.parquet",
        weights=f"{SIAMESE_SEED}/model.safetensors",
    output:
        f"{SIAMESE_SEED}/descriptors.parquet",
    log:
        f"{SIAMESE_SEED}/logs/embed_siamese.log",
    benchmark:
        f"{SIAMESE_SEED}/benchmarks/embed_siamese.tsv"
    conda:
        ENVIRONMENT
    threads: CFG.runtime.threads
    resources:
        mem_mb=CFG.runtime.mem_mb,
        gpu=CFG.runtime.gpus,
    params:
        backbone=PAR_CONFIG.backbone.model_dump(mode="json"),
        split=PAR_CONFIG.split.model_dump(mode="json"),
        runtime=RUNTIME,
        code=code("c1_embed_siamese", "qafm.companions.par.embed_siamese"),
    script:
        "../scripts/c1_embed_siamese.py"


rule evaluate_siamese:
    input:
        images=f"{D}/images.parquet",
        descriptors=f"{SIAMESE_SEED}/descriptors.parquet",
        predictions=f"{PAR}/{PAR_CONFIG.siamese.par_loss}/seed-{{seed}}/predictions.parquet",
    output:
        retrieval=f"{SIAMESE_SEED}/retrieval.json",
        filtered=f"{SIAMESE_SEED}/filters.json",
    log:
        f"{SIAMESE_SEED}/logs/evaluate_siamese.log",
    benchmark:
        f"{SIAMESE_SEED}/benchmarks/evaluate_siamese.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        search=PAR_CONFIG.siamese.search.model_dump(mode="json"),
        filters=PAR_CONFIG.siamese.filters.model_dump(mode="json"),
        same_camera=CFG.dataset.same_camera,
        ranks=CFG.ablation.ranks,
        code=code("c1_evaluate_siamese", "qafm.companions.par.evaluate_siamese"),
    script:
        "../scripts/c1_evaluate_siamese.py"


rule tabulate_siamese:
    input:
        filtered=[path for _, _, path in siamese_files("filters.json")],
        curves=[path for trainings in siamese_curves().values() for seeds in trainings for path in seeds],
    output:
        tabled("siamese"),
    log:
        "results/logs/tabulate_siamese.log",
    conda:
        ENVIRONMENT
    params:
        files=siamese_files("filters.json"),
        curves=siamese_curves(),
        run=dict(
            dataset=CFG.dataset.name,
            starts={arm: PAR_CONFIG.start_of(arm) for arm in ARMS},
            comparable=IS_MARKET and PAR_CONFIG.backbone.init == "imagenet",
        ),
        code=code("c1_tabulate_siamese", "qafm.companions.par.tabulate_siamese"),
    script:
        "../scripts/c1_tabulate_siamese.py"


rule plot_distances:
    input:
        descriptors=[path for _, _, path in siamese_files("descriptors.parquet", CFG.seeds[:1])],
        images=f"{D}/images.parquet",
    output:
        drawn("siamese_distances"),
    log:
        "results/logs/plot_distances.log",
    conda:
        ENVIRONMENT
    params:
        arms=[(arm, PAR_CONFIG.start_of(arm), path) for _, arm, path in siamese_files("descriptors.parquet", CFG.seeds[:1])],
        search=PAR_CONFIG.siamese.search.model_dump(mode="json"),
        style=CFG.figures.style.model_dump(mode="json"),
        run=f"{CFG.dataset.name}, seed {CFG.seeds[0]}",
        code=code("c1_plot_distances", "qafm.companions.par.plot_distances"),
    script:
        "../scripts/c1_plot_distances.py"
