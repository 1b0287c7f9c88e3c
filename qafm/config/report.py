"""Settings of the report page and of the ranking it shows."""

from pydantic import Field

from qafm.config.base import Settings


class ReportConfig(Settings):
    """Rules rank_gallery and write_report."""

    ranks: int = Field(default=10, ge=1, le=100, description="ranks kept of every query, for Figures 9 and 10 and the ranking browser")
    embed_images_up_to: int = Field(
        default=3000, ge=0, description="so many thumbnails lie within the page itself; a page with more shows the images where they are, loaded when needed"
    )
    thumbnail_px: int = Field(default=128, ge=32, le=512, description="height of a thumbnail within the page, pixels")
