"""What exports let one choose; free of imports, so that the command line can name it before torch is loaded."""

from typing import Literal, TypeAlias

Weight: TypeAlias = Literal["visual_weight", "q"]  # the second input, after the images
