# QAFM, quality-aware fusion for person re-identification: from raw images to the paper's Table 4.
configfile: "config/config.yaml"


include: "workflow/rules/0_common.smk"  # the checked configuration, paths, code digests
include: "workflow/rules/0_contents.smk"  # figures and tables by name
include: "workflow/rules/0_inputs.smk"  # functions behind inputs and params
include: "workflow/rules/1_dataset.smk"  # images + labels              -> images.parquet
include: "workflow/rules/2_perturb.smk"  # every image                  -> 34 perturbed variants
include: "workflow/rules/3_features.smk"  # ReID extractor               -> features of all variants
include: "workflow/rules/4_quality.smk"  # features                     -> Q(I)
include: "workflow/rules/5_branches.smk"  # APAN and APN, each alone     -> weights
include: "workflow/rules/6_fusion.smk"  # both branches, Q and weight  -> embeddings
include: "workflow/rules/7_ablation.smk"  # embeddings                   -> table4.csv
include: "workflow/rules/7_analysis.smk"  # rows, embeddings             -> is there anything to adapt to?
include: "workflow/rules/8_figures.smk"  # artifacts of all stages      -> figures with captions
include: "workflow/rules/9_report.smk"  # everything                   -> further tables, report.html
include: "workflow/rules/c0_inputs.smk"  # functions behind the companions' inputs and params
include: "workflow/rules/c1_par.smk"  # companion: attributes, siamese -> par_accuracy.csv, siamese.csv
include: "workflow/rules/c2_slicenet.smk"  # companion: BigNet, SliceNets -> slicenet.csv
include: "workflow/rules/c3_bpbreid.smk"  # companion: body parts        -> bpbreid.csv, partial.csv
include: "workflow/rules/c4_comparison.smk"  # all systems side by side     -> comparison.csv, comparison_cost.csv
include: "workflow/rules/c5_companions_page.smk"  # tables and figures of c1 to c4 -> companions.html


rule rows:  # all rows of both Tables 4 that one trained model gives, without the tables
    input:
        [path for _, _, path in rows_of((*PAPER_ROWS, *CFG.ablation.extra_experiments()))],


rule companions:  # systems beside QAFM, from the same images.parquet; no part of `all`
    input:
        companion_results,


rule bundles:  # the trained models as folders that `qafm.load` reads; no part of `all`
    input:
        [f"{M}/seed-{seed}/bundle/{name}" for seed in CFG.seeds for name in BUNDLED_FILES],


rule all:
    default_target: True
    input:
        expand("results/{table}.csv", table=TABLES),
        expand("results/figures/{name}.{kind}", name=FIGURES, kind=[*CFG.figures.style.formats, "rst"]),
        "results/report.html",
