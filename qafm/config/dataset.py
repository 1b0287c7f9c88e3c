"""The `dataset` section of a preset: which images, how they are split, and how they are dealt to shards."""

from typing import Literal

from pydantic import Field, model_validator

from qafm.config.base import RunName, Settings
from qafm.config.choices import SameCamera
from qafm.config.parse import AttributesConfig, FoldersConfig, Market1501Config, ParseConfig, TestSetConfig
from qafm.config.synthetic import SyntheticConfig


class DatasetConfig(Settings):
    """Stage 1. Each kind of data set has a section of its own, so that presets merge without mixing."""

    name: RunName = Field(description="the {d} of the result paths; presets that differ here must differ in this name")
    kind: Literal["synthetic", "market1501", "folders"] = Field(default="synthetic", description="which of the sections below is used")
    shards: int = Field(default=4, ge=1, le=1000, description="number of jobs that perturb and extract; image i goes to shard i mod n")
    holdout_ids: int = Field(
        default=0,
        ge=0,
        description="train identities held out: they start and teach the weight, and Q is standardised by them; below 2: `alpha: {target: train, start: half}`",
    )
    holdout_seed: int = Field(default=1, ge=0, description="which identities are held out")
    same_camera: SameCamera = Field(default="drop", description="gallery images of the query's identity and camera; keep: for data without cameras")
    max_set_aside: float = Field(default=0.05, ge=0, le=1, description="largest share of a split's images that may be unreadable or badly named")
    attributes: AttributesConfig = AttributesConfig()
    synthetic: SyntheticConfig = SyntheticConfig()
    market1501: Market1501Config | None = None
    folders: FoldersConfig | None = None
    test: TestSetConfig | None = None

    @model_validator(mode="after")
    def _sections(self) -> "DatasetConfig":
        self.parse_slice()
        if self.test is not None and self.test.section().attributes is not None and not self.has_attributes:
            raise ValueError(f"test.{self.test.kind}.attributes: nothing uses them where the train set has none; leave them out")
        return self

    def parse_slice(self) -> ParseConfig:
        """The slice of rule parse_dataset: only the section in use, no setting of a later stage."""
        return ParseConfig(
            kind=self.kind,
            holdout_ids=self.holdout_ids,
            holdout_seed=self.holdout_seed,
            max_set_aside=self.max_set_aside,
            attributes=self.attributes,
            market1501=self.market1501 if self.kind == "market1501" else None,
            folders=self.folders if self.kind == "folders" else None,
            test=self.test,
        )

    def without_cameras(self) -> list[str]:
        """The sections in use whose images have no cameras."""
        used = {"folders": self.parse_slice().folders, "test.folders": self.test.folders if self.test and self.test.kind == "folders" else None}
        return [key for key, section in used.items() if section is not None and not section.has_cameras]

    @property
    def has_attributes(self) -> bool:
        """Whether the data set comes with an attribute file."""
        return self.kind == "synthetic" or self.parse_slice().attribute_file() is not None

    @property
    def is_market1501(self) -> bool:
        """Whether train and test images are those of Market-1501, all of them, so that published numbers may stand beside ours."""
        return self.kind == "market1501" and self.test is None and self.market1501 is not None and self.market1501.subset is None

    @property
    def generated(self) -> bool:
        """Whether all images, those tested on too, are the generator's."""
        return self.kind == "synthetic" and self.test is None

    def image_root(self, generated: str) -> str:
        """The folder to hand to parse_dataset.

        Args:
            generated: folder of the generated set, results/{d}/raw.

        Returns:
            `generated` for kind synthetic, else the root as configured.
        """
        section = self.market1501 if self.kind == "market1501" else self.folders if self.kind == "folders" else None
        return section.root if section else generated
