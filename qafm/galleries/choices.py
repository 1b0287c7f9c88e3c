"""What searches and evaluations let one choose; free of imports, so that the command line can name it before anything is loaded."""

from typing import Literal, TypeAlias

Approximate: TypeAlias = Literal["auto", "never", "always"]
Metric: TypeAlias = Literal["cosine", "euclidean"]
