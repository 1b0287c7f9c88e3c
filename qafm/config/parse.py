"""Settings of stage 1 that rule parse_dataset uses: where the images lie and how they are split."""

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from qafm.config.base import Settings


def _below_root(folder: str) -> str:
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or "\\" in folder:
        raise ValueError(f"{folder!r} is not a folder below the root (forward slashes, no '..')")
    return str(path)


def _name_pattern(pattern: str) -> str:
    try:
        groups = set(re.compile(pattern).groupindex)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if not groups or not groups <= {"camera", "sequence", "frame"}:
        raise ValueError("needs named groups among (?P<camera>...), (?P<sequence>...), (?P<frame>...)")
    return pattern


Folder = Annotated[str, AfterValidator(_below_root)]


class AttributesConfig(Settings):
    """How identities find their attributes."""

    missing: Literal["error", "mask"] = Field(default="error", description="an identity the attribute file lacks: stop, or go on with 12 unknown attributes")
    key: Literal["raw", "relabelled"] = Field(
        default="raw", description="relabelled: as the original code does, a train identity gets the record of another one; not for folders"
    )


class SubsetConfig(Settings):
    """A part of the data set, for studies of many runs: drawn by identity, junk left out."""

    train_ids: int = Field(ge=2, description="train identities, with all their images")
    test_ids: int = Field(ge=1, description="test identities, with all their query and gallery images")
    distractors: int = Field(ge=0, description="distractor images")
    seed: int = Field(default=1, ge=0, description="which ones")


class Market1501Config(Settings):
    """Market-1501, or anything in its layout."""

    root: str = Field(description="the folder that contains bounding_box_train, or a parent of it")
    attributes: str | None = Field(default=None, description="path of market_attribute.mat; null: all attributes are unknown")
    subset: SubsetConfig | None = Field(default=None, description="use a part of the images; make it part of the data set's name")


class FoldersConfig(Settings):
    """One folder per identity."""

    root: str = Field(description="the folder that everything below is relative to")
    attributes: str | None = Field(default=None, description="path of an attributes.csv: column identity and any of the 12; null: all are unknown")
    camera_pattern: Annotated[str, AfterValidator(_name_pattern)] | None = Field(
        default=None,
        description="regular expression searched in a file's path below its identity folder; groups camera, sequence, frame; null: no cameras",
    )
    split_by: Literal["identity", "folders"] = Field(default="identity", description="identity: drawn from `pool`; folders: as train, query and gallery lie")
    pool: tuple[Folder, ...] = Field(default=(".",), min_length=1, description="folders of identity folders, all drawn from (split_by: identity)")
    train: Folder | None = Field(default="train", description="folder of identity folders (split_by: folders); null: none, for a set to test on")
    query: Folder | None = Field(default="query", description="folder of identity folders (split_by: folders); null: none, where another set is tested on")
    gallery: Folder | None = Field(default="gallery", description="as query")
    train_ids: Annotated[int, Field(ge=0)] | Literal["all"] | None = Field(
        default=None, description="identities to train on (split_by: identity); null: half; all: where another set is tested on; 0: in a set to test on"
    )
    split: int = Field(default=1, ge=0, description="number of the random split (split_by: identity); make it part of the data set's name")
    queries_per_camera: int = Field(default=1, ge=1, description="query images per test identity and camera (split_by: identity); the rest is gallery")

    @model_validator(mode="after")
    def _no_folder_twice(self) -> "FoldersConfig":
        parts = [PurePosixPath(folder).parts for folder in self.folders()]
        for i, one in enumerate(parts):
            for other in parts[i + 1 :]:
                shorter = min(len(one), len(other))
                if one[:shorter] == other[:shorter]:
                    raise ValueError(f"folders {'/'.join(one) or '.'} and {'/'.join(other) or '.'} overlap: an image would be counted twice")
        return self

    @property
    def has_cameras(self) -> bool:
        """Whether file names say which camera an image is from: a pattern may name sequence and frame alone."""
        return self.camera_pattern is not None and "camera" in re.compile(self.camera_pattern).groupindex

    def folders(self) -> tuple[str, ...]:
        """The folders of identity folders that are in use, relative to `root`."""
        return self.pool if self.split_by == "identity" else tuple(self.split_folders().values())

    def split_folders(self) -> dict[str, str]:
        """The folder of each split (split_by: folders)."""
        return {split: folder for split, folder in (("train", self.train), ("query", self.query), ("gallery", self.gallery)) if folder is not None}


class TestSetConfig(Settings):
    """Another set to test on: its query and gallery are searched in place of the data set's own, its train images are left out."""

    __test__ = False  # no class of tests, whatever its name

    kind: Literal["market1501", "folders"] = Field(description="which of the sections below is used")
    market1501: Market1501Config | None = None
    folders: FoldersConfig | None = None

    @model_validator(mode="after")
    def _section_present(self) -> "TestSetConfig":
        self.section()
        return self

    def section(self) -> Market1501Config | FoldersConfig:
        """The section in use.

        Raises:
            ValueError: it is absent.
        """
        section = self.market1501 if self.kind == "market1501" else self.folders
        if section is None:
            raise ValueError(f"test: kind is {self.kind}, but section {self.kind} is absent")
        return section


class ParseConfig(Settings):
    """The slice of rule parse_dataset: nothing in it is used elsewhere, nothing else is used by it."""

    kind: Literal["synthetic", "market1501", "folders"]
    holdout_ids: int = Field(default=0, ge=0)
    holdout_seed: int = Field(default=1, ge=0)
    max_set_aside: float = Field(default=0.05, ge=0, le=1)
    attributes: AttributesConfig = AttributesConfig()
    market1501: Market1501Config | None = None
    folders: FoldersConfig | None = None
    test: TestSetConfig | None = None

    @model_validator(mode="after")
    def _section_present(self) -> "ParseConfig":
        if self.kind == "market1501" and self.market1501 is None:
            raise ValueError("kind is market1501, but section market1501 is absent")
        if self.kind == "folders" and self.folders is None:
            raise ValueError("kind is folders, but section folders is absent")
        if self.kind == "folders" and self.attributes.key == "relabelled":
            raise ValueError("attributes.key: relabelled means the numbers of Market-1501's identities, which folders do not have")
        return self

    def attribute_file(self) -> str | None:
        """Path of the attribute file as configured; None where there is none, and for the generated set, whose file lies among its images."""
        section = self.market1501 if self.kind == "market1501" else self.folders if self.kind == "folders" else None
        return section.attributes if section else None

    def test_slice(self) -> "ParseConfig | None":
        """How the set to test on is parsed; None where it is the data set's own query and gallery."""
        if self.test is None:
            return None
        attributes = self.attributes.model_copy(update={"key": "raw"})
        sections = {"market1501": self.test.market1501, "folders": self.test.folders}
        return ParseConfig(kind=self.test.kind, max_set_aside=self.max_set_aside, attributes=attributes, **{self.test.kind: sections[self.test.kind]})

    def root(self) -> Path:
        """The folder of the images as configured; not for the generated set, which has none in the configuration."""
        section = self.market1501 if self.kind == "market1501" else self.folders
        assert section is not None
        return Path(section.root)
