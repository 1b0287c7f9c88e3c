"""bundle.json: everything that the weights of a bundle do not say themselves, and the settings of the rule that writes it."""

from typing import Literal

from pydantic import Field

from qafm.config.backbone import BackboneConfig
from qafm.config.base import Settings
from qafm.config.fusion import ArchitectureConfig, FusedModelConfig, HeadConfig
from qafm.config.perturb import PerturbConfig
from qafm.config.q_network import QNetwork
from qafm.config.quality import QualityConfig

FORMAT = 1  # of bundle.json; a reader refuses newer ones
Dtype = Literal["float32", "float16"]
DatasetKind = Literal["synthetic", "market1501", "folders"]


class BundleSection(Settings):
    """The `bundle` section of a preset: rule bundle_model."""

    dtype: Dtype = Field(default="float32", description="type the weights are stored in; float16 halves the files, what is computed stays float32")


class QReference(Settings):
    """The images whose Q every other Q is compared with."""

    images: int = Field(ge=1)
    mean: float
    sd: float = Field(gt=0)
    quantiles: tuple[float, ...] = Field(min_length=2, description="quantiles 0, ..., 1 in equal steps")


class TrainingSet(Settings):
    """What the model was trained on, without the held-out identities."""

    kind: DatasetKind
    words: str
    images: int = Field(ge=0)
    ids: int = Field(ge=0)
    cameras: int = Field(ge=0, description="0: none known")
    attributes: dict[str, dict[str, int]] = Field(description="attribute -> class -> train images labelled so; an attribute without any was never trained")

    def learned(self, attribute: str) -> bool:
        """Whether at least two classes of an attribute had an image: of one alone nothing is learned."""
        return sum(count > 0 for count in self.attributes.get(attribute, {}).values()) > 1


class BundledMetrics(Settings):
    """What a descriptor reached on the test images of its own data set, standard gallery, percent."""

    rank1: float
    mAP: float
    n_queries: int


class MeasuredAttribute(Settings):
    """How well an attribute was predicted on the labelled gallery images, percent."""

    accuracy: float
    majority: float | None = Field(description="what always answering the most frequent class of training reaches")


class BundleConfig(Settings):
    """bundle.json."""

    format: Literal[1] = FORMAT
    name: str
    qafm: str = Field(description="version of the package that wrote it")
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="of both weight files, the model's identity: what galleries record")
    calibration: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of calibration.json; null: of a bundle written before it was recorded, not checked"
    )
    dtype: Dtype
    architecture: ArchitectureConfig
    head: HeadConfig
    fixed_weight: float | None = Field(ge=0, le=1, description="the visual weight of every image; null: it depends on Q")
    extractor: BackboneConfig | None = Field(description="of the network behind Q; null: Q was read from a file and cannot be computed")
    perturb: PerturbConfig
    quality: QualityConfig
    reference: QReference
    trained_on: TrainingSet
    measured: dict[str, BundledMetrics] = Field(default={}, description="row of Table 4 -> metrics")
    measured_attributes: dict[str, MeasuredAttribute] = Field(default={}, description="attribute -> accuracy")

    def model(self) -> FusedModelConfig:
        """What the network is built from; the header of its weights holds the same."""
        return FusedModelConfig(architecture=self.architecture, head=self.head, fixed_weight=self.fixed_weight)

    def q_network(self) -> QNetwork | None:
        """How Q is computed, None where it was read from a file; the header of the extractor's weights holds the same."""
        return None if self.extractor is None else QNetwork(extractor=self.extractor, perturb=self.perturb, quality=self.quality)
