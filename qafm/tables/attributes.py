"""The 12 attribute groups and their classes: 27 attributes of Market-1501 (9 binary, age, 8 upper and 9 lower colours).

A class code is the 0-based index into `classes`; unknown is null.
"""

from typing import NamedTuple


class Attribute(NamedTuple):
    """One attribute group: its column name and its classes in the official order."""

    name: str
    classes: tuple[str, ...]


ATTRIBUTES = (
    Attribute("gender", ("male", "female")),
    Attribute("hair", ("short", "long")),
    Attribute("up", ("long sleeve", "short sleeve")),
    Attribute("down", ("long", "short")),
    Attribute("clothes", ("dress", "pants")),
    Attribute("hat", ("no", "yes")),
    Attribute("backpack", ("no", "yes")),
    Attribute("bag", ("no", "yes")),
    Attribute("handbag", ("no", "yes")),
    Attribute("age", ("young", "teenager", "adult", "old")),
    Attribute("up_color", ("black", "white", "red", "purple", "yellow", "gray", "blue", "green")),
    Attribute("down_color", ("black", "white", "pink", "purple", "yellow", "gray", "blue", "green", "brown")),
)
ATTRIBUTE_NAMES = tuple(attribute.name for attribute in ATTRIBUTES)
ATTRIBUTE_SIZES = tuple(len(attribute.classes) for attribute in ATTRIBUTES)
