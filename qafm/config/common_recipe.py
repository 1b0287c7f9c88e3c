"""Settings of the companions' trainings under the common recipe: the Bag-of-Tricks baseline's, only architecture and loss are theirs."""

from typing import Annotated, Literal

from pydantic import Field

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings
from qafm.config.par import ClustersConfig
from qafm.config.sliced_net import Network
from qafm.config.training import ScheduleConfig


class SiameseHead(Settings):
    """The siamese network's own: a linear layer behind the pooling, triplets of images that look alike."""

    kind: Literal["siamese"] = "siamese"
    dim: int = Field(default=128, ge=2)
    margin: float = Field(default=0.2, gt=0)
    clusters: ClustersConfig = ClustersConfig()


class SlicedHead(Settings):
    """BigNet's and the SliceNets' own: what is cut, the dense layer behind the map, the cosine softmax."""

    kind: Literal["sliced"] = "sliced"
    network: Network = "bignet"
    slices: int = Field(default=1, ge=1)
    dropout: float = Field(default=0.4, ge=0, lt=1)


CommonHead = Annotated[SiameseHead | SlicedHead, Field(discriminator="kind")]


class CommonNetworkConfig(Settings):
    """What builds the network again from its weights."""

    backbone: BackboneConfig = BackboneConfig()
    head: CommonHead = SiameseHead()


class TrainCommonConfig(CommonNetworkConfig):
    """Rule train_common; the losses are the heads' own."""

    training: ScheduleConfig = ScheduleConfig()
