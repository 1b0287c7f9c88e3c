"""Settings of companion c1: pedestrian attribute recognition (PAR) and siamese re-identification, after a report of the University of Trento.

Defaults are the report's where it gives a value; what it does not give is said so.
"""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from qafm.config.backbone import BackboneConfig
from qafm.config.base import RunName, Settings
from qafm.config.choices import SameCamera
from qafm.config.training import Probability

LossName = Literal["ce", "weighted_ce", "focal", "alpha_focal"]
Arm = Literal["transfer", "reference"]
ARMS: tuple[Arm, ...] = ("transfer", "reference")


class IdentitySplitConfig(Settings):
    """Which train identities are trained on; the others validate. Both tasks share the split."""

    train_share: float = Field(default=0.6, gt=0, lt=1, description="share of the train identities that is trained on")
    seed: int = Field(default=1, ge=0, description="which ones; not given in the report")


class PlainTrainingConfig(Settings):
    """What both trainings share: plain shuffled batches, Adam, linear warm-up and linear decay per step, early stopping."""

    batch_size: int = Field(default=32, ge=4, description="samples per step, images or triplets of images; not given in the report")
    weight_decay: float = Field(default=0.0, ge=0, description="not given in the report")
    warmup_share: float = Field(default=0.1, ge=0, le=1, description="share of all steps in which the learning rate rises")
    patience: int = Field(default=5, ge=1, description="epochs without a better validation value before the training ends; not given in the report")
    flip: Probability = Field(default=0.5, description="probability of a horizontal flip")
    rotation_deg: float = Field(default=10.0, ge=0, le=180, description="images are turned by up to this angle, degrees")


class ParTrainingConfig(PlainTrainingConfig):
    """A training of the PAR network."""

    epochs: int = Field(default=15, ge=1, description="at most")
    lr: float = Field(default=3e-4, gt=0, description="learning rate after warm-up")
    stop_on: Literal["val_loss", "val_accuracy", "val_macro_f1"] = Field(
        default="val_loss", description="the validation value that decides; the best epoch's weights are kept; not given in the report"
    )


class SiameseTrainingConfig(PlainTrainingConfig):
    """A training of the siamese network."""

    epochs: int = Field(default=10, ge=1, description="at most")
    lr: float = Field(default=2e-5, gt=0, description="learning rate after warm-up; the report's suits a start from ImageNet")
    stop_on: Literal["val_loss", "val_mAP"] = Field(
        default="val_loss", description="the validation value that decides: loss of fixed triplets, or mAP; not given in the report"
    )


class ClustersConfig(Settings):
    """Clusters of images by colour, from which negatives are drawn. The report gives none of these values."""

    count: int = Field(default=16, ge=1, description="clusters of k-means; fewer where there are not so many different histograms")
    hue_bins: int = Field(default=16, ge=1, le=180, description="bins of a histogram along hue")
    saturation_bins: int = Field(default=4, ge=1, le=256, description="along saturation")
    value_bins: int = Field(default=4, ge=1, le=256, description="along value")
    stripes: int = Field(default=3, ge=1, le=32, description="horizontal stripes, a histogram each; 1: one of the whole image")
    seed: int = Field(default=1, ge=0, description="of k-means")


class SearchConfig(Settings):
    """The search among validation identities, the report's own protocol: none of these values is given."""

    queries_per_camera: int = Field(default=1, ge=1, description="query images per validation identity and camera, the rest is gallery")
    same_camera: SameCamera = Field(default="keep", description="gallery images of the query's identity and camera; the report mentions no exclusion")
    seed: int = Field(default=1, ge=0, description="which images are queries")


class FiltersConfig(Settings):
    """The two retrieval filters."""

    max_different: tuple[int, ...] = Field(
        default=(2, 4), min_length=1, description="k of the attribute filter, a row each: a gallery image with more differing predicted attributes is rejected"
    )
    distance: Literal["euclidean", "squared"] = Field(
        default="euclidean", description="whose mean over the gallery is the distance threshold of a query; not given in the report"
    )

    @field_validator("max_different")
    @classmethod
    def _ascending(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if values[0] < 0 or list(values) != sorted(set(values)):
            raise ValueError("must be whole numbers from 0 on, ascending, without repetition")
        return values


class SiameseConfig(Settings):
    """Siamese re-identification, with and without transfer from the PAR network."""

    name: RunName = Field(default="siamese", description="results/{d}/companions/{name}; presets that differ here must differ in this name on one data set")
    par_loss: LossName = Field(default="weighted_ce", description="loss of the PAR network that is transferred, and whose attributes filter the gallery")
    dim: int = Field(default=128, ge=2, description="d, length of the descriptor; not given in the report")
    margin: float = Field(default=0.2, gt=0, description="alpha of the triplet loss, on squared distances of unit vectors, in [0, 4]; not given in the report")
    clusters: ClustersConfig = ClustersConfig()
    training: SiameseTrainingConfig = SiameseTrainingConfig()
    search: SearchConfig = SearchConfig()
    filters: FiltersConfig = FiltersConfig()


class TrainParConfig(Settings):
    """The slice of rule train_par."""

    loss: LossName
    multi_color: bool
    split: IdentitySplitConfig
    backbone: BackboneConfig
    dropout: float
    gamma: float
    divide_by: Literal["weights", "images"]
    training: ParTrainingConfig


class TrainSiameseConfig(Settings):
    """The slice of rule train_siamese."""

    split: IdentitySplitConfig
    backbone: BackboneConfig
    dim: int
    margin: float
    clusters: ClustersConfig
    training: SiameseTrainingConfig
    search: SearchConfig


class ParConfig(Settings):
    """Companion c1 as a whole."""

    name: RunName = Field(default="par", description="results/{d}/companions/{name}; presets that differ here must differ in this name on one data set")
    split: IdentitySplitConfig = IdentitySplitConfig()
    multi_color: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="an unknown colour is the class `multi` of an identity whose other attributes are known; auto: in Market-1501's format, where an "
        "identity of several colours has no colour flag",
    )
    backbone: BackboneConfig = BackboneConfig(name="resnet18", height=256, width=128)
    dropout: float = Field(default=0.5, ge=0, lt=1, description="before each head; not given in the report")
    losses: tuple[LossName, ...] = Field(default=("ce", "weighted_ce", "focal", "alpha_focal"), min_length=1, description="one network is trained per loss")
    gamma: float = Field(default=2.0, ge=0, description="exponent of the focal losses; not given in the report")
    divide_by: Literal["weights", "images"] = Field(
        default="weights",
        description="weighted losses are divided by the sum of the weights or by the number of images, which all but silences heads with a rare class; "
        "not given in the report",
    )
    training: ParTrainingConfig = ParTrainingConfig()
    siamese: SiameseConfig = SiameseConfig()

    @field_validator("losses")
    @classmethod
    def _each_once(cls, losses: tuple[LossName, ...]) -> tuple[LossName, ...]:
        if len(set(losses)) != len(losses):
            raise ValueError("names a loss twice")
        return losses

    @model_validator(mode="after")
    def _fits_together(self) -> "ParConfig":
        if self.backbone.init == "extractor":
            raise ValueError("backbone.init: the extractor was trained on identities that validate here; choose imagenet or random")
        if self.siamese.par_loss not in self.losses:
            raise ValueError(f"siamese.par_loss: {self.siamese.par_loss} is not among the losses {', '.join(self.losses)}")
        if self.siamese.name == self.name:
            raise ValueError(f"siamese.name: must differ from name, {self.name}")
        return self

    def multi(self, kind: str) -> bool:
        """Whether an unknown colour is a class of its own on a data set of this kind."""
        return self.multi_color == "always" or (self.multi_color == "auto" and kind in ("market1501", "synthetic"))

    def train_par(self, loss: LossName, kind: str) -> TrainParConfig:
        """The slice of rule train_par on a data set of this kind."""
        return TrainParConfig(
            loss=loss,
            multi_color=self.multi(kind),
            split=self.split,
            backbone=self.backbone,
            dropout=self.dropout,
            gamma=self.gamma,
            divide_by=self.divide_by,
            training=self.training,
        )

    def train_siamese(self) -> TrainSiameseConfig:
        """The slice of rule train_siamese, of both arms."""
        return TrainSiameseConfig(
            split=self.split,
            backbone=self.backbone,
            dim=self.siamese.dim,
            margin=self.siamese.margin,
            clusters=self.siamese.clusters,
            training=self.siamese.training,
            search=self.siamese.search,
        )

    def trains_as_long(self, arm: Arm) -> bool:
        """Whether the arm trains for as many epochs as both trainings of the other one ran, which else would have seen the images more often.

        From ImageNet both arms have the report's epochs.
        """
        return arm == "reference" and self.backbone.init == "random"

    def stages(self) -> dict[str, Any]:
        """Name of each of its folders -> all that what lies in it depends on; each loss has a folder of its own below."""
        networks = self.model_dump(exclude={"name", "losses", "siamese"})
        return {self.name: networks, self.siamese.name: (networks, self.siamese)}

    def start_of(self, arm: Arm) -> str:
        """What an arm of the siamese network starts from, in words."""
        return f"PAR ({self.siamese.par_loss}) from {self.backbone.init}" if arm == "transfer" else self.backbone.init
