# Stage 1. Reads: the raw images and attributes. Writes: results/{d}/images.parquet, dataset.json. Paper section V.
from qafm.datasets.folder_digest import dataset_digest

RAW = Path(CFG.dataset.image_root(generated=f"{D}/raw"))
MANIFEST = Path(f"{D}/manifest.csv")
ATTRIBUTES = CFG.dataset.parse_slice().attribute_file()


def require(path, what):
    """End in one line where something the configuration names is missing."""
    if not Path(path).exists():
        raise WorkflowError(f"{path}: no such {what} (config: dataset.{CFG.dataset.kind})")


if CFG.dataset.kind != "synthetic":
    require(RAW, "folder of images")
if ATTRIBUTES:
    require(ATTRIBUTES, "attribute file")


def raw_digest():
    """Changes when an image is added, removed or replaced, not when one is touched."""
    try:
        return dataset_digest(CFG.dataset.parse_slice(), RAW, MANIFEST, Path(f"{D}/.digests.json"))
    except InputError as error:
        raise WorkflowError(str(error)) from None


if CFG.dataset.kind == "synthetic":

    rule generate_synthetic:
        output:
            manifest=MANIFEST,
        log:
            f"{D}/logs/generate_synthetic.log",
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
    output:
        images=f"{D}/images.parquet",
        report=f"{D}/dataset.json",
    log:
        f"{D}/logs/parse_dataset.log",
    conda:
        ENVIRONMENT
    params:
        config=CFG.dataset.parse_slice().model_dump(mode="json"),
        root=str(RAW),
        contents=raw_digest(),
        code=code("1_parse_dataset", "qafm.datasets.parse_dataset"),
    script:
        "../scripts/1_parse_dataset.py"
