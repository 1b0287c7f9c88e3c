"""What a search found, ready to be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qafm.cli.naming import Named
from qafm.runtime.files import file_sha256

if TYPE_CHECKING:
    from qafm.galleries.search_gallery import Hit


@dataclass(frozen=True)
class FoundHit:
    """A gallery image.

    Args:
        hit: as the gallery gave it.
        file: the picture, None where it is not found here.
        right: whether it shows the query's identity; None where one of both is unknown.
    """

    hit: "Hit"
    file: Path | None
    right: bool | None

    @property
    def mark(self) -> str:
        """✓, ✗ or nothing."""
        return "" if self.right is None else "✓" if self.right else "✗"


@dataclass(frozen=True)
class FoundQuery:
    """A query and its nearest images.

    Args:
        image: the query.
        named: its identity and camera.
        q: Q(I), NaN where it was not computed.
        visual_weight: 0 to 1.
        hits: nearest first.
    """

    image: Path
    named: Named
    q: float
    visual_weight: float
    hits: Sequence[FoundHit]


def found_hit(hit: "Hit", query: Named, gallery: Path) -> FoundHit:
    """Look for the picture of a hit, from here and from the gallery's folder, and compare identities; a distractor (0) or junk (-1) is nobody's."""
    file = next((path for path in (Path(hit.image_id), gallery.parent / hit.image_id) if _holds(path, hit.sha256)), None)
    known = hit.pid is not None and query.pid is not None and query.pid > 0
    return FoundHit(hit, file, hit.pid == query.pid if known else None)


def _holds(path: Path, sha256: str) -> bool:
    """Whether a file is there and is what was embedded: another set may use the same names."""
    try:
        return path.is_file() and file_sha256(path) == sha256
    except OSError:
        return False
