"""`qafm score`: how identifiable images are, what the model makes of that, and the attributes it sees."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qafm.cli.attributes import as_dicts, print_attributes
from qafm.cli.image_files import shown, usable_images
from qafm.cli.options import AsJson, DeviceName, Images, ModelPath, load_model
from qafm.cli.output import number, print_json, print_table, remark

if TYPE_CHECKING:
    from qafm.inference.model import ReidModel
    from qafm.inference.results import Score


_NARROW = {"occlusion": "occlu-\nsion", "background": "back-\nground"}  # headings in two lines, so that a row fits into a terminal


def score(images: Images, model: ModelPath = None, device: DeviceName = "auto", as_json: AsJson = False) -> None:
    """How identifiable are these images? Q, the weight it gives to appearance, and the predicted attributes.

    Q is the mean distance between an image's features and those of its 34 perturbed copies: low = stable = good. **rank** is the share of the
    model's reference images with a lower Q; light, blur, occlusion, background and noise are Q within one family of perturbations;
    **visual weight** is the share of appearance in the descriptor, **paper alpha** = 1 - visual weight that of the attributes.
    """
    usable = usable_images(images)
    files = usable.files
    loaded = load_model(model, device)
    scores = loaded.score(files)
    found = loaded.attributes(files) if loaded.attribute_names else None
    if as_json:
        print_json(_content(loaded, files, scores, as_dicts(found, len(files))) | {"left_out": usable.left_out})
        return
    _print_scores(loaded, files, scores)
    if found is not None:
        print()
        print_attributes(files, found)


def _content(model: "ReidModel", files: Sequence[Path], scores: Sequence["Score"], found: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    images = [{"image": shown(file), **vars(one), "attributes": attributes} for file, one, attributes in zip(files, scores, found, strict=True)]
    return {"model": model.name, "model_id": model.model_id, "images": images}


def _print_scores(model: "ReidModel", files: Sequence[Path], scores: Sequence["Score"]) -> None:
    families = list(scores[0].by_family)
    columns = ["image", "Q", "rank", *(_NARROW.get(family, family) for family in families), "visual\nweight", "paper\nalpha"]
    rows = [
        [
            shown(file),
            number(one.q),
            "-" if one.q_rank is None else f"{100 * one.q_rank:.0f} %",
            *(number(one.by_family[family]) for family in families),
            number(one.visual_weight),
            number(one.paper_alpha),
        ]
        for file, one in zip(files, scores, strict=True)
    ]
    reference = "" if scores[0].q is None else f"Q: low = good; rank among {model.config.reference.images} reference images"
    print_table(columns, rows, title=reference, text=("image",))
    if scores[0].q is None:
        remark("This model holds no extractor: Q is not computed, every image gets the weight of the mean Q.")
