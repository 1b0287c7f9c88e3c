"""The layout of PifPaf's confidence fields: 17 keypoints and 19 limbs on a grid of one cell every 8 pixels. It knows nothing of how people are drawn."""

STRIDE = 8
KEYPOINTS = (
    "nose",
    "left eye",
    "right eye",
    "left ear",
    "right ear",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
)
# pairs of 1-based keypoints, in the order of the COCO skeleton
LIMBS = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9)),
    *((8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)


def grid_shape(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the grid for an image: 17 x 9 for 128 x 64."""
    return height // STRIDE + 1, width // STRIDE + 1
