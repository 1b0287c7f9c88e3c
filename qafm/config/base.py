"""The common base of all settings: frozen, and unknown keys refused."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen group of settings. An unknown key is an error, so that a typo never trains with a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
