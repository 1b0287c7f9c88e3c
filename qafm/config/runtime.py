"""Settings of the machine a stage runs on. They change speed, and on a GPU the last digits, never the method."""

from typing import Any, Literal

from pydantic import Field

from qafm.config.base import Settings
from qafm.config.choices import Device


class RuntimeConfig(Settings):
    """Where and how fast the torch stages run."""

    threads: int = Field(default=2, ge=1, description="torch threads of one job; fixed, so that --cores never changes a result")
    device: Device = Field(default="auto", description="auto: the GPU where there is one")
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="bf16: autocast; faster on GPUs and on CPUs with AMX, slower on others; Q shifts by 0.04-0.2 percent"
    )
    mem_mb: int = Field(default=3000, ge=100, description="memory one torch job may take, MiB; the profile sets what all jobs together may")
    gpus: int = Field(default=0, ge=0, description="GPUs one torch job asks the scheduler for, as Snakemake's resource `gpu`; see docs/pipeline.md")
    shard_disk_mb: int = Field(default=600, ge=1, description="disk one shard of perturbed images takes, MiB")
    keep_perturbed: bool = Field(default=False, description="keep the perturbed images after their features are made")

    def decisive(self) -> dict[str, Any]:
        """What results depend on, if only in their last digits; the rest says how jobs are run."""
        return self.model_dump(mode="json", include={"threads", "device", "precision"})
