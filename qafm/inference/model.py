"""The Python API: a trained model, applied to any images.

Images are paths, arrays uint8 [H, W, 3] in RGB or Pillow images, of any sizes, each showing one person; a single one, a list, or an array [N, H, W, 3].

N images, D the length of a descriptor, F families of perturbations.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from tqdm import tqdm

from qafm.bundles.bundle_files import CALIBRATION, find_bundle
from qafm.bundles.load_bundle import Bundle, load_bundle
from qafm.calibration.match_odds import Calibration, read_calibration
from qafm.config.runtime import RuntimeConfig
from qafm.features.branch_vectors import branch_vectors
from qafm.features.embed_images import visual_weights
from qafm.features.new_images import Extractor, resized
from qafm.galleries.exclusions import Exclusions
from qafm.galleries.search_gallery import Approximate, Hits, search_gallery
from qafm.images.network_input import normalize
from qafm.inference.pictures import Picture, Pictures, as_list, open_picture
from qafm.inference.quality_of_new import NewQuality, placed
from qafm.inference.results import Attribute, Embedded, Match, Score
from qafm.runtime.errors import InputError
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.attributes import ATTRIBUTES

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
BATCH = 32
NOTHING = Exclusions()
WITHOUT_Q = "+mean-weight"


def load(path: str | Path | None = None, *, device: Device = "auto") -> "ReidModel":
    """A trained model.

    Args:
        path: a bundle, or the folder of a run (`.../seed-1`) that holds one; None: the small model that comes with the package, trained on synthetic people.
        device: "auto": the GPU where there is one.

    Raises:
        InputError: there is no bundle, it is damaged or of a newer format, or the device is missing.
    """
    if device not in get_args(Device):
        raise InputError(f"device {device!r}: expected one of {', '.join(get_args(Device))}")
    return ReidModel(load_bundle(find_bundle(None if path is None else Path(path))), device=device)


class ReidModel:
    """A bundle at work. torch is asked for deterministic algorithms, and keeps its number of threads.

    Attributes:
        bundle: what was loaded; its networks are on the device.
        config: its bundle.json.
    """

    def __init__(self, bundle: Bundle, *, device: Device = "auto") -> None:
        self.runtime = RuntimeConfig(threads=torch.get_num_threads(), device=device)
        self.device = prepare_torch(self.runtime)
        self.bundle, self.config = bundle, bundle.config
        self.network = place(bundle.model, self.device)
        self.quality: NewQuality | None = None
        if bundle.extractor is not None and bundle.config.extractor is not None:
            extractor = Extractor(place(bundle.extractor, self.device), bundle.config.extractor, bundle.config.perturb)
            self.quality = NewQuality(bundle.config, extractor, self.device, self.runtime)

    @property
    def name(self) -> str:
        """Data set, features, model and seed of the run."""
        return self.config.name

    @property
    def model_id(self) -> str:
        """Digest of the weights and their settings, 64 hex digits: descriptors of two models can only be compared where it is the same."""
        return self.config.digest

    def gallery_id(self, *, quality: bool = True) -> str:
        """What a gallery of this model records as its model_id. Descriptors made without Q are not compared with those made with it: theirs differs."""
        same = quality or self.quality is None or self.config.fixed_weight is not None
        return self.model_id if same else self.model_id + WITHOUT_Q

    @property
    def dim(self) -> int:
        """D."""
        return self.config.head.length(self.config.architecture)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The attributes the model was trained on; the others it knows nothing of."""
        return tuple(attribute.name for attribute in ATTRIBUTES if self.config.trained_on.learned(attribute.name))

    def embed(self, images: Pictures, *, quality: bool = True, batch: int = BATCH, progress: bool = True) -> Embedded:
        """Descriptors of images.

        Args:
            images: paths or arrays.
            quality: false: Q is not computed and every image gets the weight of the mean Q. Some 10 times faster on a CPU; such descriptors rank a little
                differently, and should not be mixed with others in one gallery.
            batch: images decoded at a time.
            progress: show a bar on stderr where that is a terminal.

        Raises:
            InputError: an image cannot be used; the message names it.
        """
        found = [embedded for _, embedded in self.embed_iter(as_list(images), batch, quality=quality, progress=progress)]
        return Embedded(*(np.concatenate([getattr(part, name) for part in found]) for name in ("descriptor", "q", "visual_weight")))

    def embed_iter(
        self,
        images: Iterable[Picture],
        batch: int = BATCH,
        *,
        quality: bool = True,
        progress: bool = True,
        on_error: Callable[[Picture, InputError], None] | None = None,
    ) -> Iterator[tuple[list[Picture], Embedded]]:
        """Descriptors of any number of images, in memory for one batch.

        Args:
            images: paths or arrays, read one by one.
            batch: images per answer; the last one may hold fewer.
            quality: as in `embed`.
            progress: as in `embed`.
            on_error: called with an image that cannot be used, which is then left out; None: the first one ends the iteration.

        Yields:
            The images of the batch as they were given, and their descriptors, in order.

        Raises:
            InputError: an image cannot be used and there is no `on_error`.
        """
        _check_batch(batch)
        total = len(images) if isinstance(images, Sized) else None
        with tqdm(total=total, desc="embed", unit="image", disable=None if progress else True) as bar:
            opened: list[tuple[Picture, np.ndarray]] = []
            for position, image in enumerate(images):
                try:
                    opened.append((image, open_picture(image, position)))
                except InputError as error:
                    if on_error is None:
                        raise
                    on_error(image, error)
                    bar.update()
                if len(opened) == batch:
                    yield self._batch(opened, quality, bar)
                    opened = []
            if opened:
                yield self._batch(opened, quality, bar)

    def score(self, images: Pictures, *, progress: bool = True) -> list[Score]:
        """How identifiable each image is, and what weight the visual branch gets from that.

        Args:
            images: paths or arrays.
            progress: as in `embed`.

        Raises:
            InputError: an image cannot be used.
        """
        found = []
        for position, image in enumerate(tqdm(as_list(images), desc="score", unit="image", disable=None if progress else True)):
            picture = open_picture(image, position)
            if self.quality is None:
                w = float(self._weights(np.array([np.nan]))[0])
                found.append(Score(None, None, None, {}, w, 1 - w))
                continue
            q = placed(self.quality.scores(picture), self.config.reference)
            w = float(self._weights(np.array([q.q]))[0])
            found.append(Score(q.q, q.q_z, q.q_rank, q.by_family, w, 1 - w))
        return found

    @torch.no_grad()
    def attributes(self, images: Pictures, *, batch: int = BATCH) -> list[dict[str, Attribute]]:
        """The most likely class of every attribute the model was trained on (`attribute_names`).

        Args:
            images: paths or arrays.
            batch: images decoded at a time.

        Raises:
            InputError: an image cannot be used, or the model was trained without attributes.
        """
        if not self.attribute_names:
            raise InputError(f"{self.name}: was trained without attributes, it knows none")
        _check_batch(batch)
        items, found = as_list(images), []
        for start in range(0, len(items), batch):
            pictures = [open_picture(image, start + i) for i, image in enumerate(items[start : start + batch])]
            pixels = resized(pictures, self.config.architecture.backbone).to(self.device)
            logits = self.network.attribute(normalize(pixels)).attribute_logits
            found += _most_likely(logits, self.attribute_names)
        return found

    @cached_property
    def calibration(self) -> Calibration | None:
        """What turns a distance into a probability; None where the run had too few test identities of several cameras."""
        path = self.bundle.folder / CALIBRATION
        return read_calibration(path) if path.exists() else None

    def match(self, a: Picture, b: Picture, *, prior: float | None = None) -> Match:
        """Compare two images.

        Args:
            a: path or array.
            b: path or array.
            prior: probability, in (0, 1), that both show one person before they are compared; None: the calibration's own.

        Raises:
            InputError: an image cannot be used, or `prior` is out of range.
        """
        first, second = self.embed([a, b], progress=False).descriptor.astype(np.float64)
        distance = min(float(np.linalg.norm(first - second)), 2.0)
        if self.calibration is None:
            return Match(distance, None, None, None)
        odds = self.calibration.at(distance, prior)
        return Match(distance, odds.probability, odds.false_match_rate, odds.prior)

    def search(
        self, images: Pictures, gallery: str | Path, top: int = 10, *, approximate: Approximate = "auto", exclude: Exclusions = NOTHING, quality: bool = True
    ) -> Hits:
        """The nearest images of a gallery that this model made.

        Args:
            images: queries, paths or arrays.
            gallery: its Parquet file, see qafm.galleries.
            top: hits per query, at most the gallery's number of images.
            approximate: whether an index may be used, see `search_gallery`.
            exclude: what does not count, per query.
            quality: as in `embed`; as the gallery was made.

        Raises:
            InputError: an image or the gallery cannot be used, or another model made the gallery.
        """
        descriptors = self.embed(images, quality=quality).descriptor
        return search_gallery(Path(gallery), descriptors, model_id=self.gallery_id(quality=quality), top=top, approximate=approximate, exclude=exclude)

    def _batch(self, opened: Sequence[tuple[Picture, np.ndarray]], quality: bool, bar: tqdm) -> tuple[list[Picture], Embedded]:
        """Embed the pictures of a batch, Q one by one."""
        q = np.full(len(opened), np.nan)
        for row, (_, picture) in enumerate(opened):
            if quality and self.quality is not None:
                q[row] = self.quality.scores(picture)[0]
            bar.update()
        w = self._weights(q)
        return [image for image, _ in opened], Embedded(self._descriptors([picture for _, picture in opened], w), q, w)

    @torch.no_grad()
    def _descriptors(self, pictures: list[np.ndarray], w: np.ndarray) -> np.ndarray:
        """Fused descriptors, L2-normalised, float32 [N, D]."""
        v_a, v_s = branch_vectors(self.network, resized(pictures, self.config.architecture.backbone), self.device, self.runtime)
        return self.network.head(v_a, v_s, torch.from_numpy(w).float().to(self.device)).descriptor.cpu().numpy()

    def _weights(self, q: np.ndarray) -> np.ndarray:
        """w of each q, float64 [N]; of the mean Q where it is NaN."""
        return visual_weights(self.network, q, self.config.model())


def _most_likely(logits: Sequence[torch.Tensor], names: Sequence[str]) -> list[dict[str, Attribute]]:
    """The first class of each attribute of `names`, image by image, from the logits of all attributes: [N] of class 1, or [N, classes]."""
    columns: dict[str, list[Attribute]] = {}
    for attribute, given in zip(ATTRIBUTES, logits, strict=True):
        if attribute.name in names:
            of_class = given if given.ndim == 2 else torch.stack([torch.zeros_like(given), given], dim=1)  # [N, classes]; sigmoid(x) is softmax(0, x)
            best = of_class.double().softmax(dim=1).max(dim=1)
            classes = [attribute.classes[code] for code in best.indices.tolist()]
            columns[attribute.name] = [Attribute(value, p) for value, p in zip(classes, best.values.tolist(), strict=True)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _check_batch(batch: int) -> None:
    if batch < 1:
        raise InputError(f"batch: is {batch}, at least 1 is needed")
