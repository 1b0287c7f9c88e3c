"""Which images there are: who is seen by which camera, when, and how badly. No pixel is drawn here."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qafm.config.synthetic import SyntheticConfig
from qafm.datasets.synthetic.attributes import draw_population
from qafm.datasets.synthetic.degrade import KINDS, NONE, OCCLUSION
from qafm.datasets.synthetic.seeding import generator

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
DISTRACTOR, JUNK = 0, -1
MOST_IMAGES = 8  # of one identity in one camera
FRAGMENTS = 0.35  # share of distractors that are bad detections of someone


@dataclass(frozen=True)
class Shot:
    """One image to be drawn."""

    folder: str
    pid: int
    person: str  # who is in the picture: key of `Plan.people`
    camera: int
    sequence: int
    frame: int
    box: int  # number of the box in the file name
    heading: float  # radians, the yaw of the person's way through this camera
    fragment: bool  # a box that misses most of the person
    degradation: str
    level: float  # 0 where there is no degradation

    @property
    def stem(self) -> str:
        """File name without suffix, as Market-1501 builds it."""
        pid = "-1" if self.pid == JUNK else f"{self.pid:04d}"
        return f"{pid}_c{self.camera}s{self.sequence}_{self.frame:06d}_{self.box:02d}"


@dataclass(frozen=True)
class Plan:
    """The whole data set before it is drawn."""

    train: dict[int, np.ndarray]  # pid: attribute vector [12], ascending
    test: dict[int, np.ndarray]
    people: dict[str, np.ndarray]  # everybody who is drawn: attribute vector
    shots: list[Shot]  # sorted by folder and file name


def draw_plan(config: SyntheticConfig) -> Plan:
    """Draw identities, their attributes and the list of images."""
    rng = generator(config.seed, "split")
    order = rng.permutation(config.train_ids + config.test_ids) + 1
    train_pids, test_pids = sorted(order[: config.train_ids].tolist()), sorted(order[config.train_ids :].tolist())
    train = _population(train_pids, "train", config)
    test = _population(test_pids, "test", config)
    people = {f"id-{pid:04d}": vector for pid, vector in sorted((train | test).items())}
    people |= _strangers(test, config)
    shots = [shot for pid in train for shot in _track_shots(pid, TRAIN, config)]
    shots += [shot for pid in test for shot in _track_shots(pid, GALLERY, config)]
    shots += [*_other_shots(DISTRACTOR, config.distractors, people, config), *_other_shots(JUNK, config.junk, people, config)]
    return Plan(train, test, people, sorted(shots, key=lambda shot: (shot.folder, shot.stem)))


def _population(pids: list[int], split: str, config: SyntheticConfig) -> dict[int, np.ndarray]:
    vectors = draw_population(len(pids), config.shared_attributes, generator(config.seed, "attributes", split))
    return dict(zip(pids, vectors, strict=True))


def _strangers(test: dict[int, np.ndarray], config: SyntheticConfig) -> dict[str, np.ndarray]:
    """People without a label, two images each on average. A distractor ought to distract: each has one of the attribute vectors of the test identities."""
    rng = generator(config.seed, "strangers")
    vectors = np.unique(np.stack(list(test.values())), axis=0)
    return {f"other-{number:04d}": vectors[rng.integers(len(vectors))] for number in range((config.distractors + 1) // 2)}


def _track_shots(pid: int, folder: str, config: SyntheticConfig) -> Iterator[Shot]:
    """All images of one identity; in the test split the first one of each camera is the query."""
    rng = generator(config.seed, "track", pid)
    count = int(rng.integers(2, min(config.max_cameras_per_id, config.cameras) + 1))
    mean = config.train_images_per_camera if folder == TRAIN else config.gallery_images_per_camera
    for camera in sorted((rng.permutation(config.cameras)[:count] + 1).tolist()):
        images = min(1 + int(rng.poisson(mean - 1)), MOST_IMAGES)
        sequence, frame, heading = int(rng.integers(1, 7)), int(rng.integers(1, 99000)), float(rng.uniform(0, 2 * np.pi))
        queries = 0 if folder == TRAIN else 1
        for number in range(images + queries):
            frame += int(rng.integers(5, 90))
            if number < queries:
                yield _shot(QUERY, pid, f"id-{pid:04d}", camera, sequence, frame, 0, heading, config)
            else:
                yield _shot(folder, pid, f"id-{pid:04d}", camera, sequence, frame, int(rng.integers(1, 6)), heading, config)


def _other_shots(pid: int, count: int, people: dict[str, np.ndarray], config: SyntheticConfig) -> Iterator[Shot]:
    """Distractors show strangers, some only in part; junk is bad boxes of anybody."""
    rng = generator(config.seed, "others", pid)
    names = [name for name in people if name.startswith("other")] if pid == DISTRACTOR else list(people)
    for number in range(count):
        camera, sequence = int(rng.integers(1, config.cameras + 1)), int(rng.integers(1, 7))
        frame, heading = 40 * number + int(rng.integers(1, 40)), float(rng.uniform(0, 2 * np.pi))
        name = names[rng.integers(len(names))]
        fragment = bool(rng.random() < FRAGMENTS) if pid == DISTRACTOR else True
        yield _shot(GALLERY, pid, name, camera, sequence, frame, int(rng.integers(1, 6)), heading, config, fragment)


def _shot(
    folder: str, pid: int, person: str, camera: int, sequence: int, frame: int, box: int, heading: float, config: SyntheticConfig, fragment: bool = False
) -> Shot:
    """A shot with its degradation, drawn from the file name alone."""
    rng = generator(config.seed, "degradation", folder, pid, camera, sequence, frame)
    shares = np.array([config.occlusion if kind == OCCLUSION else 1.0 for kind in KINDS])
    kind = KINDS[rng.choice(len(KINDS), p=shares / shares.sum())]
    level = round(float(rng.uniform(0.1, 1.0) * config.max_level), 4)
    if rng.random() >= config.degraded:
        kind, level = NONE, 0.0
    return Shot(folder, pid, person, camera, sequence, frame, box, heading, fragment, kind, level)
