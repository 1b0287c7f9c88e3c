"""How a query and its answers are framed and marked: colour, line style and mark each say whether an answer shows the query's identity."""

from qafm.figures.drawing.image_grid import Frame
from qafm.figures.drawing.style import QUERY, RIGHT, WRONG

QUERY_FRAME = Frame(QUERY, "solid", 1.8)
FRAMES = {True: Frame(RIGHT, "solid", 1.8), False: Frame(WRONG, "dashed", 1.8)}  # by whether the answer is right
MARKS = {True: "✓", False: "✗"}
