"""What the comparison is told of a system: its network at test time, and the trainings behind it."""

from typing import Annotated, Literal

from pydantic import Field

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings
from qafm.config.bpbreid import PartModelConfig, Variant
from qafm.config.common_recipe import CommonNetworkConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.config.q_network import QNetwork
from qafm.config.sliced_net import NetworkConfig


class FusedNetwork(Settings):
    """QAFM or a part of it."""

    kind: Literal["fused"] = "fused"
    part: Literal["both", "visual", "attribute"] = Field(description="the fused descriptor, or a branch's own one")
    architecture: ArchitectureConfig
    head: HeadConfig
    learned: bool = Field(description="the MLP gives the weight, from Q; false: a fixed one")
    q: QNetwork | None = Field(description="null: no Q is needed, or it is read from a file")


class PlainNetwork(Settings):
    """Bag-of-Tricks baselines, their descriptors joined."""

    kind: Literal["plain"] = "plain"
    backbone: BackboneConfig
    copies: int = Field(ge=1)


class SlicedNetwork(Settings):
    """BigNet or a SliceNet on its own convolutions."""

    kind: Literal["sliced"] = "sliced"
    network: NetworkConfig


class CommonNetwork(Settings):
    """A network on the common backbone; the siamese network is one in both recipes."""

    kind: Literal["common"] = "common"
    network: CommonNetworkConfig


class PartNetwork(Settings):
    """BPBReID."""

    kind: Literal["parts"] = "parts"
    model: PartModelConfig
    variant: Variant
    foreground: bool


ComparedNetwork = Annotated[FusedNetwork | PlainNetwork | SlicedNetwork | CommonNetwork | PartNetwork, Field(discriminator="kind")]


class ComparedTraining(Settings):
    """One training behind a system.

    Attributes:
        folder: kind of folder and name in it, for example ("model", "apn"), see c0_inputs.smk.
        record: folder kind, name and name of Snakemake's record of its time.
    """

    folder: tuple[str, str]
    record: tuple[str, str, str]


class Start(Settings):
    """What a system starts from.

    Attributes:
        init: first weights, in words.
        backbone: in words.
        size: height and width of the input, pixels.
        extractor: whether the first weights are the extractor's.
    """

    init: str
    backbone: str
    size: tuple[int, int]
    extractor: bool


class TimedNetwork(Settings):
    """All that the time of a descriptor depends on: the system's key, its input size and its network."""

    key: str
    size: tuple[int, int]
    network: ComparedNetwork


class ComparedSystem(Settings):
    """One trained system; a row of the table for each of its recipes.

    Attributes:
        key: its name in files.
        system: its name in tables.
        recipes: those it belongs to, each with what the reader must know of the row.
        seeds: a model each.
        artifact: kind of folder, name in it and name of the retrieval artifact.
        experiment: what the artifact is called inside.
        start: what it starts from.
        network: at test time.
        trainings: all that are its own.
        needs_q: whether it is trained with Q.
    """

    key: str
    system: str
    recipes: dict[str, str]
    seeds: tuple[int, ...]
    artifact: tuple[str, str, str]
    experiment: str
    start: Start
    network: ComparedNetwork
    trainings: tuple[ComparedTraining, ...]
    needs_q: bool = False

    def timed(self) -> TimedNetwork:
        """The slice of rule time_inference."""
        return TimedNetwork(key=self.key, size=self.start.size, network=self.network)
