"""`qafm match`: do two images show the same person?"""

from pathlib import Path
from typing import Annotated

import typer

from qafm.cli.image_files import named_image, shown
from qafm.cli.options import AsJson, DeviceName, ModelPath, load_model
from qafm.cli.output import number, percent, print_json, print_table, remark


def match(
    first: Annotated[Path, typer.Argument(metavar="A", help="An image.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another image.", show_default=False)],
    model: ModelPath = None,
    device: DeviceName = "auto",
    prior: Annotated[
        float | None,
        typer.Option(help="Share of such pairs that show one person, before looking, between 0 and 1. Default: that of the calibration.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How far apart are two images, and how likely is it that they show the same person?

    The distance is that of both descriptors, 0 (equal) to 2. Where the model is calibrated, on pairs of people that no network was trained on, it comes
    with a probability under the prior, and with the share of pairs of different people that are as close.
    """
    if prior is not None and not 0 < prior < 1:
        raise typer.BadParameter(f"{prior:g} does not lie between 0 and 1", param_hint="--prior")
    files = [named_image(first), named_image(second)]
    loaded = load_model(model, device)
    found = loaded.match(*files, prior=prior)
    if as_json:
        print_json({"model": loaded.name, "model_id": loaded.model_id, "a": shown(first), "b": shown(second), **vars(found)})
        return
    rows = [["distance", number(found.distance)]]
    if found.probability is not None and found.false_match_rate is not None:
        rows += [["probability of one person", percent(found.probability)]]
        rows += [["supposing a prior of", f"{100 * (found.prior or 0):.10g} %"]]
        rows += [["different people as close", percent(found.false_match_rate)]]
    print_table(("", ""), rows, title=f"{shown(first)} and {shown(second)}", text=("",))
    if found.probability is None:
        remark("This model is not calibrated: there is a distance, but no probability.")
