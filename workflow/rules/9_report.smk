# Stage 9. Reads: artifacts of all stages. Writes: results/table2.csv, table3.csv, attributes.csv, report.html. Paper Tables 2 and 3.
# And {s}/bundle/, the trained model as one folder that `qafm.load` reads; no part of `all`.
BUNDLED_ROWS = ("qafm", "apn_descriptor", "apan_descriptor")  # rows of Table 4 whose numbers a bundle quotes
BUNDLED_FILES = ("bundle.json", "calibration.json", "model.safetensors", *(["extractor.safetensors"] if CFG.quality.source == "compute" else []))


rule tabulate_table2:
    input:
        dataset=f"{D}/dataset.json",
    output:
        tabled("table2"),
    log:
        "results/logs/tabulate_table2.log",
    conda:
        ENVIRONMENT
    params:
        run=CFG.table_run(),
        code=code("9_tabulate_table2", "qafm.reporting.tabulate_table2"),
    script:
        "../scripts/9_tabulate_table2.py"


rule tabulate_table3:
    input:
        table4="results/table4.csv",
        extra="results/table4_extra.csv",
    output:
        tabled("table3"),
    log:
        "results/logs/tabulate_table3.log",
    conda:
        ENVIRONMENT
    params:
        run=CFG.table_run(),
        rivals=list(CFG.ablation.rivals),
        code=code("9_tabulate_table3", "qafm.reporting.tabulate_table3"),
    script:
        "../scripts/9_tabulate_table3.py"


if CFG.dataset.has_attributes:

    rule tabulate_attributes:
        input:
            [path for _, _, path in attribute_scores()],
        output:
            tabled("attributes"),
        log:
            "results/logs/tabulate_attributes.log",
        conda:
            ENVIRONMENT
        params:
            files=attribute_scores(),
            run=CFG.table_run(),
            code=code("9_tabulate_attributes", "qafm.evaluation.tabulate_attributes"),
        script:
            "../scripts/9_tabulate_attributes.py"


rule write_report:
    input:
        tables=expand("results/{name}.csv", name=TABLES),
        figures=expand("results/figures/{name}.{kind}", name=FIGURES, kind=["png", "rst"]),
        ranking=f"{FIRST}/ranking.parquet",
        images=f"{D}/images.parquet",
        dataset=f"{D}/dataset.json",
        quality=f"{F}/quality.json",
        weights=[path for _, _, path in trained_weights()],
    output:
        "results/report.html",
    log:
        "results/logs/write_report.log",
    conda:
        ENVIRONMENT
    params:
        run=CFG.table_run(),
        config=CFG.model_dump(mode="json", exclude={"companions"}),  # the page prints it
        command=make_command(),
        tables=[(title, "Tables", f"results/{name}.csv", said_of(name)) for name, title in TABLES.items()],
        figures=pictured(FIGURES),
        weights=trained_weights(),
        benchmarks=recorded_costs(),
        page=files_digest((Path(workflow.basedir) / "qafm" / "reporting" / "page").iterdir()),
        code=code("9_write_report", "qafm.reporting.write_report"),
    script:
        "../scripts/9_write_report.py"


rule bundle_model:
    input:
        images=f"{D}/images.parquet",
        summary=f"{F}/quality.json",
        model=f"{SEED}/fusion/model.safetensors",
        extractor=f"{F}/extractor/model.safetensors" if CFG.quality.source == "compute" else [],
        rows=[f"{SEED}/ablation/{row}.json" for row in BUNDLED_ROWS],
        attributes=f"{SEED}/fusion/attributes.csv" if CFG.dataset.has_attributes else [],
        calibration=f"{SEED}/calibration.json",
    output:
        [f"{SEED}/bundle/{name}" for name in BUNDLED_FILES],
    log:
        f"{SEED}/logs/bundle_model.log",
    benchmark:
        f"{SEED}/benchmarks/bundle_model.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=CFG.runtime.mem_mb,
    params:
        rows=BUNDLED_ROWS,
        named=lambda wildcards: dict(name=f"{M}/seed-{wildcards.seed}".removeprefix("results/"), kind=CFG.dataset.kind, dtype=CFG.bundle.dtype),
        settings=dict(
            model=CFG.model.fusion.model_slice(CFG.model.architecture()).model_dump(mode="json"),
            q=CFG.q_network().model_dump(mode="json"),
        ),
        code=code("9_bundle_model", "qafm.bundles.bundle_model"),
    script:
        "../scripts/9_bundle_model.py"
