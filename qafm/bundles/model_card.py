"""README.md beside a shipped bundle: its model card, all numbers from bundle.json, calibration.json and the files themselves."""

from pathlib import Path

from qafm.bundles.bundle_files import CALIBRATION, CONFIG, weight_files
from qafm.config.bundle import BundleConfig, BundledMetrics
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.calibration import CalibrationFile

CARD = """\
<!-- Written by `{command}` from bundle.json and calibration.json: do not edit. -->
# {name}

A small model for quality-aware person re-identification: `qafm.load()` returns it, and every `qafm` command uses it unless `--model` names another.
It is there to try the commands and the Python API at once, and to test them. **It was trained on drawn people alone and is of no use for real ones**:
for those train a model of your own (docs/own-data.md).

## Trained on

{words}: {images} train images of {ids} identities seen by {cameras} cameras. Attributes: {attributes}.{unknown}

Networks: {backbone} in both branches, input {height} x {width} pixels, descriptor of {dim} numbers; {extractor} behind Q. Weights are stored in
{dtype} ({kilobytes} kB), what is computed is float32.

## Measured

On {n_queries} queries of the same generator's test identities, which no network saw (Market-1501's protocol, standard gallery), before the weights were
rounded to {dtype}:

| descriptor | Rank-1 | mAP |
|---|---|---|
{rows}
{scores}{calibration}
## Limits

- Drawn people, one generator, one seed: the numbers say nothing about photographs, and a high one here is no high one there.
- One person per image, cut out. It finds nobody in a scene, and calls anything a person.
- Attributes are guesses from drawn clothes and hair; their probabilities are not calibrated. `gender` and `age` are what the drawing shows: nothing is to
  be concluded from them about anybody.
- Probabilities of a match hold for pairs like those they were fitted on, not for photographs.
- docs/responsible-use.md holds for this model as for any other.

## Licence

MIT, as the code. No picture of a real person took part.

## Made by

`{command}`, from config/shipped.yaml: run {run}, qafm {version}. Identity (`model_id`): `{digest}`.
"""
LABELS = {"qafm": "fused, every image at its own weight", "apn_descriptor": "visual branch alone", "apan_descriptor": "attribute branch alone"}


def model_card(config: BundleConfig, calibration: CalibrationFile, folder: Path, command: str) -> str:
    """The card as Markdown.

    Args:
        config: bundle.json.
        calibration: calibration.json.
        folder: of the bundle, whose weight files are measured.
        command: what makes the bundle.
    """
    trained, backbone = config.trained_on, config.architecture.backbone
    known = [name for name in ATTRIBUTE_NAMES if trained.learned(name)]
    never = [name for name in ATTRIBUTE_NAMES if name not in known]
    return CARD.format(
        command=command,
        name="The model that comes with qafm",
        words=trained.words[0].upper() + trained.words[1:],
        images=trained.images,
        ids=trained.ids,
        cameras=trained.cameras,
        attributes=", ".join(known) or "none",
        unknown=f" Never trained: {', '.join(never)}." if never else "",
        backbone=backbone.architecture,
        height=backbone.height,
        width=backbone.width,
        dim=config.head.length(config.architecture),
        extractor="nothing" if config.extractor is None else config.extractor.architecture,
        dtype=config.dtype,
        kilobytes=round(sum(path.stat().st_size for path in weight_files(folder, config)) / 1000),
        n_queries=max((measured.n_queries for measured in config.measured.values()), default=0),
        rows="\n".join(_measured_row(label, config.measured[row]) for row, label in LABELS.items() if row in config.measured),
        scores=_attribute_table(config),
        calibration=_calibration(calibration),
        run=config.name,
        version=config.qafm,
        digest=config.digest,
    )


def _measured_row(label: str, found: BundledMetrics) -> str:
    return f"| {label} | {found.rank1:.1f} % | {found.mAP:.1f} % |"


def _attribute_table(config: BundleConfig) -> str:
    if not config.measured_attributes:
        return ""
    rows = []
    for name in ATTRIBUTE_NAMES:
        if name in config.measured_attributes:
            found = config.measured_attributes[name]
            rows.append(f"| {name} | {found.accuracy:.1f} % | {'' if found.majority is None else f'{found.majority:.1f} %'} |")
    worse = [name for name, found in config.measured_attributes.items() if found.majority is not None and found.accuracy < found.majority]
    said = f"\nBelow that majority: {', '.join(name for name in ATTRIBUTE_NAMES if name in worse)}. Of these its answers are worth nothing.\n" if worse else ""
    head = "\nAttributes, on the gallery images (majority: what always answering the most frequent class of training reaches):\n"
    return "\n".join([head, "| attribute | accuracy | majority |", "|---|---|---|", *rows, said])


def _calibration(content: CalibrationFile) -> str:
    if content.measures is None:
        return f"\nNo probability of a match is offered: {content.reason}.\n"
    eer = content.measures.eer
    return (
        f"\nThe probability of a match ({CALIBRATION} beside {CONFIG}) was fitted on {content.set}: {content.genuine_pairs} pairs of one person, "
        f"{content.impostor_pairs} of two; prior {content.prior:g}; equal error rate {100 * eer.value:.1f} %.\n"
    )
