"""What presets, functions and commands let one choose alike; free of imports, so that the command line can name it before anything is loaded."""

from typing import Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
SameCamera: TypeAlias = Literal["drop", "keep"]
