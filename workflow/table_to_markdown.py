"""Print columns of a result table as Markdown, for the pages in docs/results/.

usage: table_to_markdown.py TABLE.csv COLUMN[,COLUMN...] [COLUMN=VALUE]
"""

import csv
import sys
from pathlib import Path


def markdown(table: Path, columns: list[str], condition: str | None = None) -> str:
    """The rows of `table` that meet `condition` ("column=value"), `columns` only; a spread over seeds is joined to its mean with +-."""
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if condition:
        name, value = condition.split("=", 1)
        rows = [row for row in rows if row[name] == value]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [f"{row[name]} ± {row[f'{name}_sd']}" if row.get(f"{name}_sd") and name != "visual_weight" else row[name] for name in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    print(markdown(Path(sys.argv[1]), sys.argv[2].split(","), *sys.argv[3:]))
