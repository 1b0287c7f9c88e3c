"""Part masks in the layout of PifPaf's confidence fields: 17 keypoints and 19 limbs on a coarse grid.

K = 36 fields; h w: the grid; H W: the image.
"""

import cv2
import numpy as np

from qafm.datasets.synthetic.pifpaf_layout import KEYPOINTS, LIMBS, STRIDE, grid_shape
from qafm.datasets.synthetic.pose import Joint

HEAD_KEYPOINTS = 5  # the first ones
REACH = 0.05  # sd of a field, body heights
HIDDEN = -0.012  # a point of the face this far behind the middle is not seen


def part_fields(joints: dict[str, Joint], origin: tuple[float, float], scale: tuple[float, float], visible: np.ndarray) -> np.ndarray:
    """The confidence fields of one person.

    Args:
        joints: the skeleton in body heights.
        origin: pixel (x, y) of the body's (0, 0).
        scale: pixels of a body height, across and down.
        visible: share of each pixel in which the person shows, float [H, W]; fields vanish elsewhere.

    Returns:
        float16 [K, h, w] in [0, 1].
    """
    rows, columns = grid_shape(*visible.shape)
    y, x = np.arange(rows, dtype=np.float32)[:, None] * STRIDE, np.arange(columns, dtype=np.float32)[None] * STRIDE
    points = np.array([(origin[0] + scale[0] * joints[name].x, origin[1] + scale[1] * joints[name].y) for name in KEYPOINTS], np.float32)  # [17, 2]
    seen = np.array([number >= HEAD_KEYPOINTS or joints[name].depth > HIDDEN for number, name in enumerate(KEYPOINTS)], np.float32)  # [17]
    ends = np.array(LIMBS) - 1
    first = np.concatenate([np.arange(len(KEYPOINTS)), ends[:, 0]])
    second = np.concatenate([np.arange(len(KEYPOINTS)), ends[:, 1]])
    distance = _to_segments(x, y, points[first], points[second])  # [K, h, w]
    spread = np.float32(max(REACH * scale[1], 0.55 * STRIDE))
    fields = np.exp(-0.5 * (distance / spread) ** 2) * (seen[first] * seen[second])[:, None, None]
    near = cv2.dilate(visible.astype(np.float32), np.ones((3, 3), np.uint8))
    columns_at, rows_at = np.meshgrid(x, y)  # [h, w]
    inside = cv2.remap(near, columns_at, rows_at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # [h, w]
    return (fields * inside).astype(np.float16)


def _to_segments(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of every grid point to every segment: [K, h, w] for starts and ends [K, 2]."""
    along = end - start  # [K, 2]
    length = np.maximum((along**2).sum(1), 1e-6)[:, None, None]  # [K, 1, 1]
    dx, dy = x - start[:, 0, None, None], y - start[:, 1, None, None]  # [K, h, w] after broadcasting
    share = np.clip((dx * along[:, 0, None, None] + dy * along[:, 1, None, None]) / length, 0, 1)
    return np.hypot(dx - share * along[:, 0, None, None], dy - share * along[:, 1, None, None])
