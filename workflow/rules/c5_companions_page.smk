# The companions' page. Reads: the tables and figures of c1 to c4. Writes: results/companions.html.
rule write_companions_page:
    input:
        tables=expand("results/{name}.csv", name=companion_tables()),
        figures=expand("results/figures/{name}.{kind}", name=companion_figures(), kind=["png", "rst"]),
    output:
        "results/companions.html",
    log:
        "results/logs/write_companions_page.log",
    conda:
        ENVIRONMENT
    params:
        run=CFG.table_run(),
        config=CFG.model_dump(mode="json"),  # the page prints it
        command=make_command("companions"),
        tables=[(title, category, f"results/{name}.csv", said_of(name)) for name, (category, title) in companion_tables().items()],
        figures=pictured(companion_figures()),
        left_out=left_out_companions(),
        page=files_digest((Path(workflow.basedir) / "qafm" / "reporting" / "page").iterdir()),
        code=code("c5_write_companions_page", "qafm.reporting.write_companions_page"),
    script:
        "../scripts/c5_write_companions_page.py"
