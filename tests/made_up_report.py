"""Everything a report is made of, made up: pictures are noise, numbers follow from the index of the image."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file

from qafm.figures.drawing.caption import write_caption
from qafm.reporting.write_report import ReportInputs
from qafm.tables.attributes import ATTRIBUTE_NAMES
from qafm.tables.images import IMAGES_SCHEMA
from qafm.tables.parquet import write_parquet
from qafm.tables.ranking import RANKING_SCHEMA
from qafm.tables.table4 import Run

HOSTILE = (
    "<img src=x onerror=alert(1)>.jpg",
    "\"quoted\" & 'single' </script><script>alert(2)</script>.jpg",
    "<!--<script>.jpg",
    "a b #1 100% what?.jpg",
    "Zoë {{ 7 * 7 }} 人.jpg",
)
BOUNDS = ("mAP_low", "mAP_high", "mAP_minus_qafm", "mAP_minus_qafm_low", "mAP_minus_qafm_high", "note")


def noise_image(path: Path, seed: int, height: int = 96, width: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    encoded = cv2.imencode(path.suffix, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST))[1]
    path.write_bytes(encoded.tobytes())


def images_table(path: Path, rows: Sequence[tuple[str, Path, str, bool]]) -> None:
    """images.parquet of (image_id, path, split, distractor)."""
    fixed: dict[str, Any] = {"fold": None, "sequence": 1, "frame": 1, "junk": False, "sha256": "0", "height": 96, "width": 48}
    fixed |= dict.fromkeys(ATTRIBUTE_NAMES)
    full = [fixed | {"image_id": name, "path": file.as_posix(), "split": split, "pid": 0, "camid": 1, "distractor": odd} for name, file, split, odd in rows]
    write_parquet(path, pa.Table.from_pylist(full, schema=IMAGES_SCHEMA))


def query_row(i: int, name: str, gallery: Sequence[str], ranks: int, relevant: int = 3) -> dict[str, Any]:
    """Query i: rank r is gallery image (i + r) mod G, right where 3 divides i + r; query 2 is excluded from the metrics."""
    places = [(i + r) % len(gallery) for r in range(min(ranks, len(gallery)))]
    right = [relevant > 0 and (i + r) % 3 == 0 for r in range(len(places))]
    valid = relevant > 0
    return {
        "image_id": name,
        "pid": 100 - i,
        "camid": None if i == 1 else 1 + i % 6,
        "q": None if i == 1 else 0.1 + 0.37 * i % 0.1,
        "visual_weight": 0.5 + 0.31 * i % 0.5,
        "n_relevant": relevant,
        "ap": (7 * i % 11) / 11 if valid else None,
        "first_rank": right.index(True) + 1 if valid else None,
        "gallery_id": [gallery[g] for g in places],
        "gallery_pid": [0 if g == 4 else g for g in places],
        "gallery_camid": [1 + g % 6 for g in places],
        "right": right,
        "distance": [0.25 + 0.01 * r for r in range(len(places))],
        "gallery_q": [0.1 + 0.001 * (g % 100) for g in places],
        "gallery_weight": [0.2 + 0.001 * (g % 100) for g in places],
    }


def result_tables(folder: Path, extra: Mapping[str, Mapping[str, object]] | None = None) -> tuple[Path, Path]:
    """table4.csv and table4_extra.csv; `extra` changes cells of rows of the second: {experiment: {column: value}}."""
    columns = ["experiment", "dataset", "gallery", "paper_alpha", "visual_weight_sd", "rank1", "rank1_sd", "mAP", "mAP_sd", "n_queries", "n_seeds"]
    start = {"dataset": "made-up", "gallery": "standard", "n_queries": 7, "n_seeds": 2, "rank1_sd": 1.5, "mAP_sd": 0.5}
    rows: dict[str, dict[str, object]] = {
        "QAFM": {"paper_alpha": "0.3100", "visual_weight_sd": "0.0600", "rank1": "70.00", "mAP": "60.00"},
        "apn_only_alpha_0": {"paper_alpha": "0.0000", "visual_weight_sd": "0.0000", "rank1": "65.00", "mAP": "55.00"},
        "fixed_alpha_0.3": {"paper_alpha": "0.3000", "visual_weight_sd": "0.0000", "rank1": "71.00", "mAP": "61.00"},
    }
    write_csv(folder / "table4.csv", columns, [start | {"experiment": name} | row for name, row in rows.items()])
    beside: dict[str, dict[str, object]] = {
        "QAFM": rows["QAFM"] | dict(zip(BOUNDS, ("55.00", "65.00"), strict=False)),
        "apn_descriptor": {"rank1": "66.00", "mAP": "57.00"} | dict(zip(BOUNDS, ("52.00", "62.00", "-3.00", "-5.00", "-1.00"), strict=False)),
        "apan_descriptor": {"rank1": "50.00", "mAP": "40.00"} | dict(zip(BOUNDS, ("35.00", "45.00", "-20.00", "-25.00", "-15.00"), strict=False)),
        "best_fixed": {"paper_alpha": "0.2500", "rank1": "72.00", "mAP": "60.31"}
        | dict(zip(BOUNDS, ("55.00", "66.00", "0.31", "-0.46", "1.07", "chosen on 5 held-out identities"), strict=True)),
        "shuffled": {"rank1": "69.00", "mAP": "59.27"} | dict(zip(BOUNDS, ("54.00", "64.00", "-0.73", "-1.35", "-0.10"), strict=False)),
        "mspa_0.5": {"rank1": "73.00", "mAP": "61.10"} | dict(zip(BOUNDS, ("56.00", "66.00", "1.10", "0.29", "1.97"), strict=False)),
    }
    changes = extra or {}
    full = [start | {"experiment": name} | row | changes.get(name, {}) for name, row in beside.items() if changes.get(name, {}) is not None]
    write_csv(folder / "table4_extra.csv", [*columns, *BOUNDS], full)
    return folder / "table4.csv", folder / "table4_extra.csv"


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    lines = [",".join(columns), *(",".join(str(row.get(name, "")) for name in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def split_counts(images: int, ids: int, distractors: int = 0, junk: int = 0) -> dict[str, Any]:
    return {
        "images": images,
        "labelled": images - distractors - junk,
        "ids": ids,
        "distractors": distractors,
        "junk": junk,
        "per_camera": {"1": images, "10": 0, "2": 3},
        "images_per_id": {"min": 1, "mean": 2.5, "max": 4},
        "ids_with_fewer_than_4_images": 0,
    }


def dataset_content(**changes: Any) -> dict[str, Any]:
    """dataset.json; `changes` replace its keys."""
    classes = {"gender": {"male": {"ids": 2, "images": 5}, "female": {"ids": 0, "images": 0}, "unknown": {"ids": 1, "images": 2}}}
    counted = {"classes": classes, "vectors": {"distinct": 2, "ids_sharing": 2, "largest_group": 2}}
    content = {
        "kind": "folders",
        "root": "data/<b>odd</b>",
        "splits": {"train": split_counts(30, 10), "query": split_counts(7, 3), "gallery": split_counts(12, 3, distractors=1, junk=2)},
        "holdout": {"ids": [1, 2], "images": 6},
        "queries": {"total": 7, "same_camera_drop": {"valid": 6, "without_match": ["q2"]}, "same_camera_keep": {"valid": 7, "without_match": []}},
        "attributes": {"file": "a.csv", "ids_without": [], "ids_without_images": 0, "splits": dict.fromkeys(("train", "query", "gallery"), counted)},
        "set_aside": {"total": 1, "counts": {"train": {"empty": 1}}, "files": [{"file": HOSTILE[0], "split": "train", "reason": "the file is empty"}]},
        "other_files": ["Thumbs.db"],
        "dropped_copies": {"b.jpg": "a.jpg"},
        "copies": {"under_different_identities": [["x.jpg", "y.jpg"]], "under_one_identity": [], "queries_with_a_copy_in_the_gallery": 0},
        "anomalies": {"double_suffix": [f"{i:03d}.jpg.jpg" for i in range(250)], "something_new": ["z"]},
        "numbers": {},
    }
    return content | changes


def quality_content(**changes: Any) -> dict[str, Any]:
    """quality.json; `changes` replace its keys."""
    some = {"images": 5, "identities": 2, "mean": 0.2, "sd": 0.05, "median": 0.19, "min": 0.1, "max": 0.3}
    none = dict.fromkeys(some) | {"images": 0}
    sets = {"fit": some, "gallery": some | {"min": 0.15, "max": 0.2, "mean": 0.18, "sd": 0.01}, "distractor": none, "query": some | {"identities": None}}
    return {"published": None, "variants": 35, "reference": {"set": "holdout", "images": 6, "mean": 0.2, "sd": 0.05}, "sets": sets} | changes


def make_inputs(
    folder: Path, *, n_queries: int = 7, n_gallery: int = 12, ranks: int = 10, names: Sequence[str] = (), one_picture: bool = False
) -> ReportInputs:
    """Inputs of `write_report`, all below `folder`.

    Args:
        folder: an empty folder.
        n_queries: number of queries; query 1 has neither camera nor Q, query 2 is excluded.
        n_gallery: number of gallery images; number 4 is a distractor.
        ranks: per query.
        names: names of the first queries.
        one_picture: all images are one file.
    """
    queries = [f"query/{names[i] if i < len(names) else f'q{i}.png'}" for i in range(n_queries)]
    gallery = [f"gallery/g{i}.png" for i in range(n_gallery)]
    paths = {name: folder / "data" / ("one.png" if one_picture else name) for name in [*queries, *gallery]}
    for i, path in enumerate(dict.fromkeys(paths.values())):
        noise_image(path, i)
    located = [(name, paths[name], name.split("/")[0], name == "gallery/g4.png") for name in sorted(paths)]
    images_table(folder / "images.parquet", located)
    rows = [query_row(i, name, gallery, ranks, relevant=0 if i == 2 else 3) for i, name in enumerate(queries)]
    write_parquet(folder / "ranking.parquet", pa.Table.from_pylist(rows, schema=RANKING_SCHEMA))
    (folder / "dataset.json").write_text(json.dumps(dataset_content()), encoding="utf-8")
    (folder / "quality.json").write_text(json.dumps(quality_content()), encoding="utf-8")
    noise_image(folder / "figure.png", 1, 200, 320)
    write_caption(folder / "figure.rst", f"Caption of {HOSTILE[0]}: 3 < 4.")
    provenance = json.dumps({"code": "0123456789abcdef", "seed": 1, "runtime": {"device": "cpu", "precision": "fp32", "threads": 2}})
    save_file({"a": np.zeros(2, np.float32)}, folder / "model.safetensors", metadata={"provenance": provenance})
    (folder / "job.tsv").write_text("s\th:m:s\tmax_rss\tmean_load\tcpu_time\n12.5\t0:00:12\t300.5\t90\t20.25\n", encoding="utf-8")
    table4, extra = result_tables(folder)
    return ReportInputs(
        run=Run("made-up", "f", "m", "random"),
        seeds=[1, 2],
        ranking_seed=1,
        config={"dataset": {"name": "made-up", "same_camera": "drop"}, "note": "<script>alert(3)</script>"},
        command="make all CONFIG=config/made-up.yaml",
        tables=[("Table 4", "Ablation", table4, "The paper's rows."), ("Beside it", "Ablation", str(extra), "Other rows.")],
        figures=[("A figure", "Noise", folder / "figure.png", folder / "figure.rst"), ("Another", "More", folder / "figure.png", folder / "figure.rst")],
        ranking=folder / "ranking.parquet",
        images=folder / "images.parquet",
        dataset=folder / "dataset.json",
        quality=folder / "quality.json",
        weights=[("train", 1, folder / "model.safetensors")],
        benchmarks=[("train", folder / "job.tsv"), ("train", folder / "missing.tsv"), ("embed", folder / "missing.tsv")],
    )


def changed(inputs: ReportInputs, **changes: Any) -> ReportInputs:
    return dataclasses.replace(inputs, **changes)
