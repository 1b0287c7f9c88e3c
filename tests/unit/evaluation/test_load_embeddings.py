"""embeddings.parquet joined with labels."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qafm.errors import InputError
from qafm.evaluation.load_embeddings import load_embeddings
from qafm.tables.parquet import write_parquet


def test_every_side_has_its_rows_and_labels(small_run):
    run = small_run()
    loaded = load_embeddings(run.images, run.embeddings)
    for side, split in ((loaded.query, "query"), (loaded.gallery, "gallery"), (loaded.holdout, "holdout")):
        rows = [i for i, name in enumerate(run.splits) if name == split]
        assert side is not None and len(side) == len(rows)
        assert side.labels.image_id.tolist() == [run.names[i] for i in rows]
        assert (side.v_a == run.v_a[rows]).all() and (side.v_s == run.v_s[rows]).all() and (side.weight == run.weight[rows]).all()
        assert side.labels.sha256 is not None and side.labels.sha256[0] == f"hash of {run.names[rows[0]]}"
        assert side.v_a.dtype == side.v_s.dtype == np.float32
    assert loaded.gallery.distractor.sum() == 8 and (loaded.gallery.labels.pid[loaded.gallery.distractor] == 0).all()
    assert loaded.query.labels.camid.tolist() == [1] * 7 and loaded.query.labels.pid.tolist() == [1, 2, 3, 4, 5, 6, 77]


def test_the_order_of_the_file_does_not_matter(small_run):
    run = small_run()
    before = load_embeddings(run.images, run.embeddings)
    table = pq.read_table(run.embeddings)
    write_parquet(run.embeddings, table.take(np.random.default_rng(0).permutation(len(table))))
    after = load_embeddings(run.images, run.embeddings)
    assert after.gallery.labels.image_id.tolist() == before.gallery.labels.image_id.tolist()
    assert (after.gallery.v_a == before.gallery.v_a).all()


def test_no_camera_and_no_holdout(small_run):
    run = small_run(cameras=False, holdout=False)
    loaded = load_embeddings(run.images, run.embeddings)
    assert loaded.holdout is None and (loaded.gallery.labels.camid == -1).all()


def test_junk_is_never_loaded(small_run):
    run = small_run()
    table = pq.read_table(run.embeddings)
    junk = table.slice(0, 1).set_column(0, table.schema.field(0), pa.array(["gallery/-1_c1"])).set_column(1, table.schema.field(1), pa.array(["gallery"]))
    write_parquet(run.embeddings, pa.concat_tables([table, junk]))
    assert -1 not in load_embeddings(run.images, run.embeddings).gallery.labels.pid


def test_bad_embeddings_are_named(small_run):
    run = small_run()
    table = pq.read_table(run.embeddings)

    def refused(changed: pa.Table, reason: str) -> None:
        write_parquet(run.embeddings, changed)
        with pytest.raises(InputError, match=reason):
            load_embeddings(run.images, run.embeddings)

    def with_column(name: str, values: list) -> pa.Table:
        at = table.schema.get_field_index(name)
        return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))

    refused(with_column("image_id", ["stranger", *table["image_id"].to_pylist()[1:]]), r"embeddings\.parquet: stranger is not an image of .*images\.parquet")
    refused(with_column("visual_weight", [1.5, *table["visual_weight"].to_pylist()[1:]]), r"gallery/0000_c1_0: visual_weight 1\.5 is not in \[0, 1\]")
    refused(with_column("visual_weight", [float("nan"), *table["visual_weight"].to_pylist()[1:]]), "visual_weight nan")
    refused(with_column("split", ["gallery" if split == "query" else split for split in table["split"].to_pylist()]), "no query image")
    refused(pa.concat_tables([table, table.slice(0, 1)]), "occurs twice")
    refused(table.drop_columns(["q"]), r"embeddings\.parquet: columns are \[.*\], expected \[.*'q'.*\]$")
    single = pa.table(
        [column.cast(pa.float32()) if name == "q" else column for name, column in zip(table.schema.names, table, strict=True)], table.schema.names
    )
    refused(single, r"embeddings\.parquet: column q holds float, expected double$")
    refused(table.drop_columns(["v_s"]), "no column v_s")
