"""examples.json: the queries that stand for a success and a failure of a run (paper Figures 9 and 10), and how each was chosen."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from qafm.errors import InputError
from qafm.runtime.files import write_json

Kind = Literal["success", "failure"]
KINDS: tuple[Kind, ...] = ("success", "failure")


@dataclass(frozen=True)
class Example:
    """A query that stands for its kind.

    Args:
        kind: "success" or "failure".
        query: its image_id.
        match: the gallery image its activation maps are drawn with: the first right one of a success, the first wrong one of a failure;
            None: the query's ranks hold no such image.
        rule: how it was chosen, a sentence.
    """

    kind: Kind
    query: str
    match: str | None
    rule: str


def write_examples(path: Path, examples: list[Example]) -> None:
    """Write examples.json, whole or not at all."""
    write_json(path, [asdict(example) for example in examples])


def read_examples(path: Path) -> dict[Kind, Example]:
    """The examples by kind; a kind is missing where no query of the run is of it.

    Raises:
        InputError: the file is not what `write_examples` writes.
    """
    try:
        examples = [Example(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: holds no examples ({error})") from error
    return {example.kind: example for example in examples}
