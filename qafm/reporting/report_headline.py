"""The first lines of the report: QAFM against what it must beat, in numbers and in sentences computed from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qafm.reporting.report_tables import OWN, is_number
from qafm.tables.csv_rows import read_rows
from qafm.tables.table4 import GALLERIES

Cells = dict[str, str]

TABLES = ("table4.csv", "table4_extra.csv")  # what the later one says of a row goes before: it has the intervals
NEEDED = ("experiment", "gallery", "rank1", "mAP")
BRANCHES = {
    "apn_descriptor": "APN by its own descriptor",
    "apan_descriptor": "APAN by its own descriptor",
    "apn_only_alpha_0": "APN alone (alpha 0)",
    "apan_only_alpha_1": "APAN alone (alpha 1)",
}
OTHERS = {  # role, name
    "concat_0.5": ("the plain concatenation", "both branches at equal weight, no fusion FC"),
    "mspa_0.5": ("the MSPA baseline", "a model of its own, trained at a fixed alpha of 0.5"),
    "baseline": ("one plain network", "Bag-of-Tricks of the same backbone"),
    "baseline_twins": ("two plain networks", "Bag-of-Tricks of the same backbone, concatenated"),
}


@dataclass(frozen=True)
class Number:
    """A measured value in percent.

    Args:
        value: mean over seeds.
        sd: over seeds, None for one seed.
        low: of the 95 percent interval, None where it was not computed.
        high: likewise.
    """

    value: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Rival:
    """What QAFM is compared with.

    Args:
        role: what it stands for.
        name: which row it is.
        rank1: Rank-1.
        mAP: mean average precision.
        ahead: mAP of QAFM minus this one's, with its interval.
    """

    role: str
    name: str
    rank1: Number
    mAP: Number
    ahead: Number


@dataclass(frozen=True)
class Headline:
    """QAFM's row, its rivals and what the comparison says.

    Args:
        rank1: QAFM's.
        mAP: QAFM's.
        alpha: mean paper_alpha; sd over queries.
        n_queries: of the standard gallery.
        n_seeds: models averaged.
        rivals: those that were measured.
        sentences: plain text.
        axis: largest absolute value of any difference or end of its interval, for the drawing.
    """

    rank1: Number
    mAP: Number
    alpha: Number | None
    n_queries: str
    n_seeds: str
    rivals: list[Rival]
    sentences: list[str]
    axis: float


def headline(tables: Sequence[Path]) -> Headline | None:
    """The headline of table4.csv and table4_extra.csv; None where neither has QAFM's row.

    Args:
        tables: the run's CSV files, in any order; those of other names are passed over, re-ranked rows among them.

    Raises:
        InputError: one of the two cannot be read or lacks a column.
    """
    rows = _measured(tables)
    standard = {experiment: row for (experiment, gallery), row in rows.items() if gallery == GALLERIES[0]}
    own = standard.pop(OWN, None)
    if own is None:
        return None
    rivals = [rival for rival in (_branch(standard, own), _fixed(standard, own)) if rival]
    rivals += [_rival(*OTHERS[name], standard[name], own) for name in OTHERS if name in standard]
    ends = [abs(end) for rival in rivals for end in (rival.ahead.value, rival.ahead.low, rival.ahead.high) if end is not None]
    alpha = Number(float(own["paper_alpha"]), _value(own, "visual_weight_sd")) if is_number(own.get("paper_alpha", "")) else None
    rank1, mAP = _number(own, "rank1"), _number(own, "mAP")
    sentences = [
        *_against(rivals),
        *_about_weight(alpha, standard.get("shuffled")),
        *_beside(own, rows.get((OWN, GALLERIES[1])), standard.get("oracle_query")),
    ]
    return Headline(rank1, mAP, alpha, own.get("n_queries", ""), own.get("n_seeds", ""), rivals, sentences, max(ends, default=1.0) or 1.0)


def _measured(tables: Sequence[Path]) -> dict[tuple[str, str], Cells]:
    """(experiment, gallery) -> cells of every measured row."""
    rows: dict[tuple[str, str], Cells] = {}
    for path in sorted((path for path in tables if path.name in TABLES), key=lambda path: TABLES.index(path.name)):
        for row in read_rows(path, NEEDED):
            if is_number(row["mAP"]) and is_number(row["rank1"]):
                key = row["experiment"], row["gallery"]
                rows[key] = rows.get(key, {}) | {name: cell for name, cell in row.items() if cell}
    return rows


def _value(row: Cells, name: str) -> float | None:
    text = row.get(name, "")
    return float(text) if is_number(text) else None


def _number(row: Cells, name: str) -> Number:
    return Number(float(row[name]), _value(row, f"{name}_sd"), _value(row, f"{name}_low"), _value(row, f"{name}_high"))


def _rival(role: str, name: str, row: Cells, own: Cells) -> Rival:
    """QAFM minus the row: the table has it the other way round, with the interval's ends."""
    difference, low, high = (_value(row, f"mAP_minus_qafm{end}") for end in ("", "_low", "_high"))
    if difference is None:
        difference = round(float(row["mAP"]) - float(own["mAP"]), 2)
    return Rival(role, name, _number(row, "rank1"), _number(row, "mAP"), Number(0.0 - difference, None, _minus(high), _minus(low)))


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _branch(rows: dict[str, Cells], own: Cells) -> Rival | None:
    found = [name for name in BRANCHES if name in rows]
    if not found:
        return None
    best = max(found, key=lambda name: float(rows[name]["mAP"]))
    return _rival("the better single branch", BRANCHES[best], rows[best], own)


def _fixed(rows: dict[str, Cells], own: Cells) -> Rival | None:
    """The fixed weight chosen on held-out identities; without one, the best of Table 4's, which the test set chose."""
    if "best_fixed" in rows:
        row = rows["best_fixed"]
        note = f", {row['note']}" if row.get("note") else ""
        return _rival("the best fixed weight", f"alpha {float(row['paper_alpha']):.2f}{note}", row, own)
    found = [name for name in rows if name.startswith("fixed_alpha_")]
    if not found:
        return None
    best = max(found, key=lambda name: float(rows[name]["mAP"]))
    return _rival("the best fixed weight", f"alpha {best.removeprefix('fixed_alpha_')}, chosen on the test set itself", rows[best], own)


def signed(value: float) -> str:
    """Two decimals with a sign, a real minus; 0 without one."""
    text = f"{abs(value):.2f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def interval(number: Number) -> str:
    """The ends of the interval, "" where there is none."""
    return "" if number.low is None or number.high is None else f"{signed(number.low)} to {signed(number.high)}"


def includes_zero(number: Number) -> bool:
    """Whether the interval includes 0."""
    return number.low is not None and number.high is not None and number.low <= 0 <= number.high


def _against(rivals: Sequence[Rival]) -> list[str]:
    """What the differences say: a sentence on the rivals that QAFM is above, on those it is below, on those it cannot be told from, on the rest."""
    measured = [rival for rival in rivals if interval(rival.ahead)]
    even = [rival for rival in measured if includes_zero(rival.ahead)]
    told = [rival for rival in measured if rival not in even]
    interval_of = "the 95 % interval of {this} difference"
    verdicts = [  # sentence, its rivals
        (f"QAFM is above {{them}}: {interval_of} excludes 0.", [rival for rival in told if rival.ahead.value > 0]),
        (f"QAFM is below {{them}}: {interval_of} excludes 0.", [rival for rival in told if rival.ahead.value < 0]),
        (f"QAFM cannot be told from {{them}}: {interval_of} includes 0.", even),
        ("No interval was computed of QAFM's difference to {them}.", [rival for rival in rivals if rival not in measured]),
    ]
    return [sentence.format(them=_listed(found), this=_this(found)) for sentence, found in verdicts if found]


def _listed(rivals: Sequence[Rival]) -> str:
    first = [f"{rival.role} ({signed(rival.ahead.value)} mAP)" for rival in rivals]
    return " and ".join([", ".join(first[:-1]), first[-1]] if len(first) > 1 else first)


def _this(rivals: Sequence[Rival]) -> str:
    return "each" if len(rivals) > 1 else "the"


def _about_weight(alpha: Number | None, shuffled: Cells | None) -> list[str]:
    sentences = []
    if alpha is not None:
        spread = "" if alpha.sd is None else f", with a standard deviation of {alpha.sd:.3f} over the queries" if alpha.sd else ", the same for every query"
        sentences.append(f"Alpha, the weight of the attribute branch, is {alpha.value:.2f} on average{spread}.")
    if shuffled and is_number(shuffled.get("mAP_minus_qafm", "")):
        change = _number(shuffled, "mAP_minus_qafm")
        moved = "change nothing" if signed(change.value) == "0.00" else f"{'gain' if change.value > 0 else 'lose'} {abs(change.value):.2f} mAP"
        ends = f" (95 % interval {interval(change)})" if interval(change) else ""
        verdict = ""
        if ends:
            better = "the pairing of weights and images matters" if change.value < 0 else "the learned pairing of weights and images is worse than a random one"
            verdict = ": the pairing of weights and images makes no difference that can be told from chance" if includes_zero(change) else f": {better}"
        sentences.append(f"Shuffled among the images, the same weights {moved}{ends}{verdict}.")
    return sentences


def _beside(own: Cells, without_distractors: Cells | None, oracle: Cells | None) -> list[str]:
    sentences = []
    if oracle and is_number(oracle.get("mAP_minus_qafm", "")):
        change = 0.0 - float(oracle["mAP_minus_qafm"])
        where = "level with" if signed(change) == "0.00" else f"{abs(change):.2f} mAP {'above' if change > 0 else 'below'}"
        sentences.append(f"QAFM is {where} the best weight of each query: an oracle, which uses the labels it is measured by, and chance.")
    if without_distractors:
        sentences.append(f"Without distractors in the gallery, QAFM reaches Rank-1 {without_distractors['rank1']} and mAP {without_distractors['mAP']}.")
    if is_number(own.get("paper_mAP", "")):
        change = float(own["mAP"]) - float(own["paper_mAP"])
        sentences.append(f"The paper's Table 4 has Rank-1 {own['paper_rank1']} and mAP {own['paper_mAP']}: the mAP measured here differs by {signed(change)}.")
    return sentences
