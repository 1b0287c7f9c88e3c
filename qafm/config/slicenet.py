"""The section `companions.slicenet`: COL780's BigNet, SliceNet1 and SliceNet2 as rows of a table. The rules hand each stage its own part."""

from collections import Counter
from typing import Literal

from pydantic import Field, field_validator, model_validator

from qafm.config.base import RunName, Seed, Settings
from qafm.config.sliced_net import Network, NetworkConfig, TrainSlicenetConfig

System = Literal["baseline", "baseline_aug", "baseline_aug_same_steps", "slicenet1", "slicenet2", "slicenet2_long"]

NETWORKS: dict[str, Network] = {  # system -> its network
    "baseline": "bignet",
    "baseline_aug": "bignet",
    "baseline_aug_same_steps": "bignet",
    "slicenet1": "slicenet1",
    "slicenet2": "slicenet2",
    "slicenet2_long": "slicenet2",
}
NETWORK_NAMES: dict[Network, str] = {"bignet": "BigNet", "slicenet1": "SliceNet1", "slicenet2": "SliceNet2"}
FOREIGN, SIGN = "foreign", "_sign"  # the row of weights trained elsewhere; ends the name of a row of sign(x) descriptors


class SystemConfig(Settings):
    """One row of the table."""

    flip: bool = Field(description="add a mirrored copy of every train image before training: an epoch is then twice as long")
    epochs: int = Field(ge=1, description="passes over the train images and their copies")
    seeds: tuple[Seed, ...] = Field(description="one model per seed; none: the row is left out")

    @field_validator("seeds")
    @classmethod
    def _no_seed_twice(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if any(count > 1 for count in Counter(seeds).values()):
            raise ValueError("a seed appears twice")
        return seeds


class SystemsConfig(Settings):
    """The report's Table 5 and two rows beside it; by default those of the comparison."""

    baseline: SystemConfig = SystemConfig(flip=False, epochs=60, seeds=())
    baseline_aug: SystemConfig = SystemConfig(flip=True, epochs=60, seeds=(1,))
    baseline_aug_same_steps: SystemConfig = SystemConfig(flip=True, epochs=30, seeds=())
    slicenet1: SystemConfig = SystemConfig(flip=True, epochs=60, seeds=(1,))
    slicenet2: SystemConfig = SystemConfig(flip=True, epochs=60, seeds=(1,))
    slicenet2_long: SystemConfig = SystemConfig(flip=True, epochs=200, seeds=())


class ForeignConfig(Settings):
    """Weights trained elsewhere, as a row of their own."""

    file: str | None = Field(default=None, description="safetensors, or a torch file of tensors only; layout: docs/companions.md; null: no such row")
    network: Network = Field(default="slicenet2", description="which network they are of")


class SlicenetConfig(Settings):
    """Companion c2 as a whole."""

    name: RunName = Field(default="small", description="folder below results/{d}/companions/slicenet; presets that differ here must differ in it")
    height: int = Field(default=128, ge=8, description="input height, pixels; a multiple of 8 x slices")
    width: int = Field(default=48, ge=8, description="input width, pixels; a multiple of 8")
    slices: int = Field(default=4, ge=1, description="K, the strips of a SliceNet; the report does not give it, its layers do")
    dropout: float = Field(default=0.4, ge=0, lt=1, description="in every residual block and before the dense layer")
    batch_size: int = Field(default=16, ge=3, description="images per batch, shuffled in every epoch")
    lr: float = Field(default=1e-3, gt=0, description="of Adam; constant, no weight decay")
    check_every: int = Field(default=5, ge=1, description="epochs between two looks at query and gallery, for the rows of the best epoch")
    systems: SystemsConfig = SystemsConfig()
    sign_of: System | None = Field(default="slicenet2", description="a row more: this system by the sign of its descriptors' values, as the notebooks have it")
    foreign: ForeignConfig = ForeignConfig()
    compared: tuple[System, System] = Field(default=("baseline_aug", "slicenet2"), description="the two systems whose rankings stand side by side")

    @model_validator(mode="after")
    def _rows_are_there(self) -> "SlicenetConfig":
        self.network("slicenet2")
        if self.compared[0] == self.compared[1]:
            raise ValueError(f"compared: {self.compared[0]} with itself")
        for name in (*self.compared, *([self.sign_of] if self.sign_of else [])):
            if not self.system(name).seeds:
                raise ValueError(f"systems.{name}.seeds: is empty, but compared or sign_of names it")
        plain, same = self.systems.baseline, self.systems.baseline_aug_same_steps
        if plain.seeds and same.seeds and plain.epochs * (1 + plain.flip) != same.epochs * (1 + same.flip):
            raise ValueError("systems.baseline_aug_same_steps: must see as many images as systems.baseline, in half the epochs with a copy of each")
        return self

    def system(self, name: str) -> SystemConfig:
        """The settings of one row."""
        return getattr(self.systems, name)

    def network(self, network: Network) -> NetworkConfig:
        """One of the three networks at the configured size; BigNet has one slice, the whole image."""
        slices = 1 if network == "bignet" else self.slices
        return NetworkConfig(network=network, height=self.height, width=self.width, slices=slices, dropout=self.dropout)

    def training(self, name: str) -> TrainSlicenetConfig:
        """The slice of rule train_slicenet for one row."""
        system = self.system(name)
        return TrainSlicenetConfig(
            network=self.network(NETWORKS[name]),
            flip=system.flip,
            epochs=system.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            check_every=self.check_every,
        )

    def trained(self) -> list[tuple[str, int]]:
        """(system, seed) of everything that is trained, in the order of the table."""
        return [(name, seed) for name in NETWORKS for seed in self.system(name).seeds]

    def evaluated(self) -> list[tuple[str, int]]:
        """(row, seed) of everything that is evaluated at its last epoch: what is trained, the sign row, the foreign weights."""
        signs = [(f"{self.sign_of}{SIGN}", seed) for seed in self.system(self.sign_of).seeds] if self.sign_of else []
        return [*self.trained(), *signs, *([(FOREIGN, 0)] if self.foreign.file else [])]

    def describe(self, row: str) -> str:
        """What a row of `evaluated` is, in words."""
        name = NETWORK_NAMES[self.network_of(row).network]
        if row == FOREIGN:
            return f"{name}, weights of {self.foreign.file}"
        system = self.system(row.removesuffix(SIGN))
        copies = ", with mirrored copies" if system.flip else ""
        return f"{name}{copies}, last of {system.epochs} epochs{', sign of each value' if row.endswith(SIGN) else ''}"

    def network_of(self, row: str) -> NetworkConfig:
        """The network whose weights a row of `evaluated` has."""
        return self.network(self.foreign.network if row == FOREIGN else NETWORKS[row.removesuffix(SIGN)])
