"""`qafm evaluate`: retrieval metrics of descriptors, whoever made them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qafm.cli.image_files import shown
from qafm.cli.options import AsJson
from qafm.cli.output import print_json, print_table, remark
from qafm.config.choices import SameCamera
from qafm.galleries.choices import Metric

if TYPE_CHECKING:
    from qafm.galleries.evaluate_files import EvaluationResult


def evaluate(
    query: Annotated[Path, typer.Option("--query", "-q", help="Descriptors: .parquet, .npy, .npz, .mat or .pt.", show_default=False)],
    gallery: Annotated[Path, typer.Option("--gallery", "-g", help="As --query; may be the same file, if it holds both sides.", show_default=False)],
    query_labels: Annotated[
        Path | None, typer.Option(help="Identities and cameras, where the descriptors come without: .csv, .parquet, .npy, .txt.", show_default=False)
    ] = None,
    gallery_labels: Annotated[Path | None, typer.Option(help="As --query-labels.", show_default=False)] = None,
    same_camera: Annotated[SameCamera, typer.Option(help="Gallery images of the query's identity and camera; keep: for data without cameras.")] = "drop",
    metric: Annotated[Metric, typer.Option(help="Both rank unit vectors alike.")] = "cosine",
    ranks: Annotated[
        str | None, typer.Option(help="Ranks of the CMC, with commas between. Default: 1,5,10, as far as there are images.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rank-k, mAP and mINP of query descriptors in a gallery, by Market-1501's single-query protocol.

    Works with galleries that **qafm embed** made with --names, with a run's embeddings, and with descriptors of other tools (torchreid-style files).
    """
    from qafm.galleries.evaluate_files import evaluate_files

    found = evaluate_files(
        query, gallery, query_labels=query_labels, gallery_labels=gallery_labels, metric=metric, same_camera=same_camera, ranks=_ranks(ranks)
    )
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)


def _ranks(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    numbers = text.replace(",", " ").split()
    if not numbers or not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise typer.BadParameter(f"{text!r} is no list of ranks such as 1,5,10", param_hint="--ranks")
    return tuple(int(number) for number in numbers)


def _print(found: "EvaluationResult") -> None:
    shares = [name for name in found.metrics if name not in ("n_queries", "n_excluded", "mAP_trapezoid")]
    sides = {"all": found.metrics} | ({} if found.without_distractors is None else {"without distractors": found.without_distractors})
    rows = [[side, *(f"{metrics[name]:.1f}" for name in shares)] for side, metrics in sides.items()]
    title = f"{shown(found.query)} in {shown(found.gallery)}, percent"
    columns = [name.replace("rank", "Rank-") for name in shares]
    print_table(["gallery", *columns], rows, title=title, text=("gallery",))
    left_out = [f"{found.n_junk} of them junk, left out" if found.n_junk else "", f"{found.n_distractors} distractors" if found.n_distractors else ""]
    counts = f"{found.metrics['n_queries']:.0f} queries, {found.n_gallery} gallery images"
    counts += "".join(f", {part}" for part in left_out if part)
    excluded = f"; {found.metrics['n_excluded']:.0f} queries without a right image do not count" if found.metrics["n_excluded"] else ""
    remark(f"{counts}{excluded}. {found.metric.capitalize()} distance of {found.dim} values, same camera: {found.same_camera}.")
