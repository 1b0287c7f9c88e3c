"""The common base of all settings: frozen, and unknown keys refused."""

import difflib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

# Folders that the rules make themselves where a named folder could stand.
RESERVED = {"benchmarks", "bpbreid", "companions", "comparison", "extractor", "features", "figures", "logs", "partial", "perturbed", "raw", "slicenet"}


class Settings(BaseModel):
    """A frozen group of settings. An unknown key is an error, so that a typo never trains with a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, content: Any) -> Any:
        """`extra="forbid"` with the key that was probably meant."""
        for key in content if isinstance(content, dict) else ():
            if key not in cls.model_fields:
                near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                raise PydanticCustomError("unknown_key", "no such key{hint}", {"key": key, "hint": f"; did you mean {near[0]}?" if near else ""})
        return content


def _no_folder_of_the_rules(name: str) -> str:
    if name in RESERVED or name.startswith("seed-"):
        raise ValueError(f"{name} is the name of a folder that the workflow makes itself; choose another")
    return name


# A part of the result paths: letters, digits and ._- but no dot in front, so that it can neither hide nor lead out of the results.
RunName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$"), AfterValidator(_no_folder_of_the_rules)]
Seed = Annotated[int, Field(ge=0)]
Width = Annotated[int, Field(ge=1)]


def first_key(error: ValidationError) -> tuple[int | str, ...]:
    """Where the first thing that is wrong stands, level by level; () where it is a matter of several keys."""
    first = error.errors()[0]
    return (*first["loc"], first.get("ctx", {})["key"]) if first["type"] == "unknown_key" else first["loc"]


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, in one line: its key, where there is one, the reason, and how many more there are."""
    first, *others = error.errors()
    key = ".".join(str(part) for part in first_key(error))
    reason = first["msg"].removeprefix("Value error, ")
    told = f"{key}: {reason}" if key else reason
    return f"{told} (and {len(others)} more)" if others else told
