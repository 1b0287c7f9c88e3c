# Stage 1. Reads: the raw images and attributes. Writes: results/{d}/images.parquet, dataset.json. Paper section V.
RAW = Path(CFG.dataset.image_root(generated=f"{D}/raw"))
MANIFEST = Path(f"{D}/manifest.csv")
ATTRIBUTES = CFG.dataset.parse_slice().attribute_file()
TESTED = CFG.dataset.parse_slice().test_slice()  # another set to test on

if CFG.dataset.kind != "synthetic":
    require(RAW, "folder of images")
if ATTRIBUTES:
    require(ATTRIBUTES, "attribute file")
if TESTED:
    require(TESTED.root(), "folder of images", f"dataset.test.{TESTED.kind}")
if TESTED and TESTED.attribute_file():
    require(TESTED.attribute_file(), "attribute file", f"dataset.test.{TESTED.kind}")


if CFG.dataset.kind == "synthetic":

    rule generate_synthetic:
        output:
            manifest=MANIFEST,
        log:
            f"{D}/logs/generate_synthetic.log",
        benchmark:
            f"{D}/benchmarks/generate_synthetic.tsv"
        conda:
            ENVIRONMENT
        params:
            config=CFG.dataset.synthetic.model_dump(mode="json"),
            raw=str(RAW),
            code=code("1_generate_synthetic", "qafm.datasets.generate_synthetic"),
        script:
            "../scripts/1_generate_synthetic.py"


rule parse_dataset:
    input:
        manifest=MANIFEST if CFG.dataset.kind == "synthetic" else [],
        attributes=ATTRIBUTES or [],
        test_attributes=TESTED and TESTED.attribute_file() or [],
    output:
        images=f"{D}/images.parquet",
        report=f"{D}/dataset.json",
    log:
        f"{D}/logs/parse_dataset.log",
    benchmark:
        f"{D}/benchmarks/parse_dataset.tsv"
    conda:
        ENVIRONMENT
    params:
        config=CFG.dataset.parse_slice().model_dump(mode="json"),
        root=str(RAW),
        contents=raw_digest(RAW, MANIFEST),
        code=code("1_parse_dataset", "qafm.datasets.parse_dataset"),
    script:
        "../scripts/1_parse_dataset.py"
