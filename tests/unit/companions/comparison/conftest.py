"""The data set of companion c1's tests, and one CPU thread."""

from tests.unit.companions.par.conftest import images, images_of, rows  # noqa: F401
from tests.unit.companions.slicenet.conftest import one_thread  # noqa: F401
