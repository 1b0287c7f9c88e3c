"""The common base of all settings: frozen, and unknown keys refused."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

# Folders that the rules make themselves where a named folder could stand.
RESERVED = {"benchmarks", "bpbreid", "companions", "comparison", "extractor", "features", "figures", "logs", "perturbed", "raw", "slicenet"}


class Settings(BaseModel):
    """A frozen group of settings. An unknown key is an error, so that a typo never trains with a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _no_folder_of_the_rules(name: str) -> str:
    if name in RESERVED or name.startswith("seed-"):
        raise ValueError(f"{name} is the name of a folder that the workflow makes itself; choose another")
    return name


# A part of the result paths: letters, digits and ._- but no dot in front, so that it can neither hide nor lead out of the results.
RunName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$"), AfterValidator(_no_folder_of_the_rules)]
Seed = Annotated[int, Field(ge=0)]
Width = Annotated[int, Field(ge=1)]


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, in one line: its key, where there is one, the reason, and how many more there are."""
    first, *others = error.errors()
    key = ".".join(str(part) for part in first["loc"])
    reason = first["msg"].removeprefix("Value error, ")
    told = f"{key}: {reason}" if key else reason
    return f"{told} (and {len(others)} more)" if others else told
