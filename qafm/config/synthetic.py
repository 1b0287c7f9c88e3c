"""Settings of the embedded synthetic data set: its size, its variation and its difficulty."""

from typing import Self

from pydantic import Field, model_validator

from qafm.config.base import Settings


class SyntheticConfig(Settings):
    """Synthetic pedestrians in Market-1501's file layout. Same settings, same bytes."""

    seed: int = Field(default=1, ge=0, description="every identity, scene and image is drawn from it")

    train_ids: int = Field(default=160, ge=2, description="identities of bounding_box_train")
    test_ids: int = Field(default=60, ge=2, description="identities of query and bounding_box_test; none is in train")
    cameras: int = Field(default=6, ge=2, le=6, description="cameras, each with its own scene, light and sensor")
    max_cameras_per_id: int = Field(default=5, ge=2, le=6, description="an identity is seen by 2 to this many cameras, uniformly drawn")
    train_images_per_camera: float = Field(default=2.0, ge=1, le=8, description="mean images of a train identity in one of its cameras")
    gallery_images_per_camera: float = Field(default=2.1, ge=1, le=8, description="mean gallery images of a test identity in one of its cameras")
    distractors: int = Field(default=100, ge=0, le=9999, description="gallery images of unlabelled look-alikes and bad detections (pid 0000), always wrong")
    junk: int = Field(default=20, ge=0, le=9999, description="gallery images with pid -1, never ranked")

    height: int = Field(default=128, ge=32, le=512, description="pixels; the person is drawn for it, not scaled up to it")
    width: int = Field(default=64, ge=16, le=256, description="pixels")
    jpeg_quality: int = Field(default=95, ge=50, le=100, description="of the files written")

    shared_attributes: float = Field(default=0.5, ge=0, le=0.9, description="share of a split's identities whose attribute vector another one has too")
    shade_spread: float = Field(default=1.0, ge=0, le=2, description="spread of exact shades within a named colour (1: sd of about 5 Lab units)")
    texture: float = Field(default=1.0, ge=0, le=1, description="contrast of patterns, logos and trims; 0: plain clothes")
    shape: float = Field(default=1.0, ge=0, le=2, description="spread of body proportions and of the cut of clothes among identities")

    pose: float = Field(default=1.0, ge=0, le=1.5, description="spread of viewpoint and gait within an identity; 0: everybody faces the camera and stands")
    misalignment: float = Field(default=0.7, ge=0, le=2, description="error of the detection box (1: sd of 6 percent of its size)")
    light: float = Field(
        default=0.7, ge=0, le=2, description="spread of brightness, white balance, contrast and saturation, between cameras and between images"
    )
    degraded: float = Field(default=0.3, ge=0, le=1, description="share of degraded images in every split and camera, independent of identity")
    max_level: float = Field(default=1.0, ge=0.1, le=1, description="levels of degradation are uniform up to this one (1: hardly recognisable)")
    occlusion: float = Field(default=1.0, ge=0, le=4, description="frequency of occlusion relative to each other kind of degradation")

    @model_validator(mode="after")
    def _enough_identities(self) -> Self:
        if self.train_ids + self.test_ids < 8:
            raise ValueError(f"train_ids + test_ids is {self.train_ids + self.test_ids}, at least 8 are needed")
        if self.train_ids + self.test_ids > 9999:
            raise ValueError(f"train_ids + test_ids is {self.train_ids + self.test_ids}, four digits of a file name hold at most 9999")
        return self
