import runpy
from pathlib import Path


def test_columns_condition_and_spread(project: Path, tmp_path: Path) -> None:
    markdown = runpy.run_path(str(project / "workflow" / "table_to_markdown.py"))["markdown"]
    table = tmp_path / "t.csv"
    table.write_text("experiment,gallery,mAP,mAP_sd\nQAFM,standard,50.00,1.20\nQAFM,no_distractors,60.00,\n")
    assert markdown(table, ["experiment", "mAP"], "gallery=standard") == "| experiment | mAP |\n|---|---|\n| QAFM | 50.00 ± 1.20 |"
    assert markdown(table, ["mAP"]).splitlines()[2:] == ["| 50.00 ± 1.20 |", "| 60.00 |"]
