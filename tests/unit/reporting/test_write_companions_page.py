import re
from pathlib import Path

import pytest

from qafm.errors import InputError
from qafm.figures.drawing.caption import write_caption
from qafm.reporting.write_companions_page import CompanionsInputs, write_companions_page
from qafm.tables.table4 import Run
from tests.made_up_report import noise_image


@pytest.fixture
def inputs(tmp_path: Path) -> CompanionsInputs:
    (tmp_path / "comparison.csv").write_text("system,mAP\nQAFM,71.25\nBigNet <b>,12.5\n")
    (tmp_path / "slicenet.csv").write_text("row,mAP_top10\nslicenet2,33.75\n")
    noise_image(tmp_path / "comparison.png", 1)
    write_caption(tmp_path / "comparison.rst", "Every system once.")
    return CompanionsInputs(
        run=Run("made-up", "f", "m", "random"),
        seeds=(3, 4),
        config={"seeds": [3, 4], "dataset": {"name": "made-up"}},
        command="make companions CONFIG=config/col780.yaml",
        tables=[("Side by side", "All systems", tmp_path / "comparison.csv", "Each once."), ("Table 5", "SliceNet", tmp_path / "slicenet.csv", "Its rows.")],
        figures=[("Side by side", "All systems", tmp_path / "comparison.png", tmp_path / "comparison.rst")],
        left_out=[("variant masks of BPBReID", "no part masks are configured")],
    )


def test_all_it_was_given_is_said(inputs: CompanionsInputs, tmp_path: Path) -> None:
    write_companions_page(inputs, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for said in (
        "on made-up",
        "seeds 3, 4",
        "71.25",
        "33.75",
        "BigNet &lt;b&gt;",
        "Each once.",
        "Every system once.",
        inputs.command,
        "no part masks are configured",
    ):
        assert said in text
    assert text.index("All systems</h3>") < text.index("SliceNet</h3>")
    assert len(re.findall(r"<script>", text)) == 1 and "data:image/png;base64," in text
    write_companions_page(inputs, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()


def test_nothing_is_written_where_a_table_is_missing(inputs: CompanionsInputs, tmp_path: Path) -> None:
    (tmp_path / "slicenet.csv").unlink()
    with pytest.raises(InputError, match=r"slicenet\.csv"):
        write_companions_page(inputs, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
