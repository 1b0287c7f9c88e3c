"""The Python API: a trained model, applied to any images.

Images are paths, arrays uint8 [H, W, 3] in RGB or Pillow images, of any sizes, each showing one person; a single one, a list, or an array [N, H, W, 3].

N images, D the length of a descriptor, F families of perturbations.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, get_args

import numpy as np
import torch
from tqdm import tqdm

from qafm.bundles.bundle_files import CALIBRATION, find_bundle
from qafm.bundles.load_bundle import Bundle, load_bundle
from qafm.calibration.match_odds import Calibration, read_calibration
from qafm.config.choices import Device
from qafm.config.runtime import RuntimeConfig
from qafm.errors import InputError
from qafm.features.branch_vectors import branch_vectors
from qafm.features.embed_images import visual_weights
from qafm.features.new_images import Extractor, resized
from qafm.galleries.exclusions import Exclusions
from qafm.galleries.search_gallery import Approximate, Hits, search_gallery
from qafm.images.network_input import normalize
from qafm.inference.likely_attributes import likely_attributes
from qafm.inference.pictures import Picture, Pictures, as_list, check_batch, one_or_many, open_picture
from qafm.inference.quality_of_new import NewQuality, score_of
from qafm.inference.results import Attribute, Embedded, Match, Score
from qafm.inference.searched_gallery import checked_top
from qafm.runtime.torch_setup import place, prepare_torch
from qafm.tables.attributes import ATTRIBUTES
from qafm.tables.gallery import WITHOUT_Q

Held: TypeAlias = tuple[Picture, torch.Tensor, float]  # an image as it was given, as network input [1, 3, height, width], and its Q or NaN
BATCH = 32


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
    """A bundle at work. torch keeps its number of threads; what `prepare_torch` sets holds for the whole process.

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
            extractor = Extractor(place(bundle.extractor, self.device), bundle.config.extractor, bundle.config.perturb, bundle.config.quality)
            self.quality = NewQuality(extractor, self.device, self.runtime)

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
            quality: false: Q is not computed and every image gets the weight of the mean Q. 6 to 14 times faster on a CPU; such descriptors rank a little
                differently, and should not be mixed with others in one gallery.
            batch: images that go through the network at a time.
            progress: show a bar on stderr where that is a terminal.

        Raises:
            InputError: an image cannot be used; the message names it.
        """
        found = [embedded for _, embedded in self.embed_iter(as_list(images), batch, quality=quality, progress=progress)]
        return Embedded(*(np.concatenate([getattr(part, name) for part in found]) for name in ("descriptor", "q", "visual_weight")))

    def embed_iter(
        self,
        images: Picture | Iterable[Picture],
        batch: int = BATCH,
        *,
        quality: bool = True,
        progress: bool = True,
        on_error: Callable[[Picture, InputError], None] | None = None,
    ) -> Iterator[tuple[list[Picture], Embedded]]:
        """Descriptors of any number of images, in memory for one picture and a batch of network inputs.

        Args:
            images: paths or arrays, read one by one; a single one as in `embed`.
            batch: images per answer; the last one may hold fewer.
            quality: as in `embed`.
            progress: as in `embed`.
            on_error: called with an image that cannot be used, which is then left out; None: the first one ends the iteration.

        Yields:
            The images of the batch as they were given, and their descriptors, in order.

        Raises:
            InputError: an image cannot be used and there is no `on_error`.
        """
        check_batch(batch)
        given = one_or_many(images)
        total = len(given) if isinstance(given, Sized) else None
        with tqdm(total=total, desc="embed", unit="image", disable=None if progress else True) as bar:
            held: list[Held] = []
            for position, image in enumerate(given):
                try:
                    picture = open_picture(image, position)
                except InputError as error:
                    if on_error is None:
                        raise
                    on_error(image, error)
                else:
                    held.append(self._held(image, picture, quality))
                bar.update()
                if len(held) == batch:
                    yield self._batch(held)
                    held = []
            if held:
                yield self._batch(held)

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
            scores = None if self.quality is None else self.quality.scores(picture)
            w = float(self._weights(np.array([np.nan if scores is None else scores[0]]))[0])
            found.append(score_of(scores, self.config.reference, w))
        return found

    @torch.no_grad()
    def attributes(self, images: Pictures, *, batch: int = BATCH, progress: bool = True) -> list[dict[str, Attribute]]:
        """The most likely class of every attribute the model was trained on (`attribute_names`).

        Args:
            images: paths or arrays.
            batch: images that go through the network at a time.
            progress: as in `embed`.

        Raises:
            InputError: an image cannot be used, or the model was trained without attributes.
        """
        if not self.attribute_names:
            raise InputError(f"{self.name}: was trained without attributes, it knows none")
        check_batch(batch)
        items, found = as_list(images), []
        with tqdm(total=len(items), desc="attributes", unit="image", disable=None if progress else True) as bar:
            for start in range(0, len(items), batch):
                pixels = torch.cat([self._input(open_picture(image, start + i)) for i, image in enumerate(items[start : start + batch])])
                found += likely_attributes(self.network.attribute(normalize(pixels.to(self.device))).attribute_logits, self.attribute_names)
                bar.update(len(pixels))
        return found

    @cached_property
    def calibration(self) -> Calibration | None:
        """What turns a distance into a probability; None where the run had too few test identities of several cameras."""
        path = self.bundle.folder / CALIBRATION
        return read_calibration(path) if path.exists() else None

    def match(self, a: Picture | Embedded, b: Picture | Embedded, *, prior: float | None = None) -> Match:
        """Compare two images.

        Args:
            a: path or array, or what `embed` gave of one; an image gets no Q where the other was embedded without.
            b: the other, likewise.
            prior: probability, in (0, 1), that both show one person before they are compared; None: the calibration's own.

        Raises:
            InputError: an image cannot be used, an `Embedded` is not of one image, one was made with Q and the other without, or `prior` is out of range.
        """
        if prior is not None and not 0 < prior < 1:
            raise InputError(f"prior: {prior} does not lie between 0 and 1")
        first, second = (vector.astype(np.float64) for vector in self._pair(a, b))
        distance = min(float(np.linalg.norm(first - second)), 2.0)
        if self.calibration is None:
            return Match(distance, None, None, None)
        odds = self.calibration.at(distance, prior)
        return Match(distance, odds.probability, odds.false_match_rate, odds.prior)

    def search(
        self,
        images: Pictures | Embedded,
        gallery: str | Path,
        top: int | None = None,
        *,
        approximate: Approximate = "auto",
        exclude: Exclusions | None = None,
        quality: bool = True,
        batch: int = BATCH,
        progress: bool = True,
    ) -> Hits:
        """The nearest images of a gallery that this model made.

        Args:
            images: queries, paths or arrays, or what `embed` gave of them.
            gallery: its Parquet file, see qafm.galleries.
            top: hits per query, at most the gallery's number of images; None: 10, or all of a smaller gallery.
            approximate: whether an index may be used, see `search_gallery`.
            exclude: what does not count, per query; None: everything counts.
            quality: as in `embed`; as the gallery was made. An `Embedded` tells by its q how it was made.
            batch: as in `embed`.
            progress: as in `embed`.

        Raises:
            InputError: an image or the gallery cannot be used, `top` is larger than the gallery, or another model made it; the gallery is looked at first.
        """
        check_batch(batch)
        queries = images if isinstance(images, Embedded) else as_list(images)
        with_q = queries.with_q if isinstance(queries, Embedded) else quality
        path, model_id, exclude = Path(gallery), self.gallery_id(quality=with_q), Exclusions() if exclude is None else exclude
        exclude.check(len(queries))
        hits = checked_top(path, model_id, self.name, top, approximate)
        embedded = queries if isinstance(queries, Embedded) else self.embed(queries, quality=quality, batch=batch, progress=progress)
        return search_gallery(path, embedded.descriptor, model_id=model_id, top=hits, approximate=approximate, exclude=exclude)

    def _pair(self, a: Picture | Embedded, b: Picture | Embedded) -> list[np.ndarray]:
        """The descriptors of two images, [D] each; what is embedded already is taken as it is."""
        made = [one for one in (a, b) if isinstance(one, Embedded)]
        for one in made:
            if len(one) != 1:
                raise InputError(f"match: an Embedded of {len(one)} images, expected one")
        with_q = {one.with_q for one in made}
        if len({self.gallery_id(quality=quality) for quality in with_q}) > 1:
            raise InputError("match: one Embedded was made with Q, the other without; make both alike")
        pictures = [open_picture(one, position) for position, one in enumerate((a, b)) if not isinstance(one, Embedded)]
        new = iter(self.embed(pictures, quality=False not in with_q, progress=False).descriptor if pictures else ())
        return [one.descriptor[0] if isinstance(one, Embedded) else next(new) for one in (a, b)]

    def _held(self, image: Picture, picture: np.ndarray, quality: bool) -> Held:
        """What is kept of an image until its batch is full: not the picture itself."""
        q = self.quality.scores(picture)[0] if quality and self.quality is not None else np.nan
        return image, self._input(picture), float(q)

    def _input(self, picture: np.ndarray) -> torch.Tensor:
        """A picture as the branches are shown it, uint8 [1, 3, height, width]."""
        return resized([picture], self.config.architecture.backbone)

    def _batch(self, held: Sequence[Held]) -> tuple[list[Picture], Embedded]:
        """Describe the images of a batch."""
        images, pixels, q = zip(*held, strict=True)
        w = self._weights(np.array(q))
        return list(images), Embedded(self._descriptors(torch.cat(pixels), w), np.array(q), w)

    @torch.no_grad()
    def _descriptors(self, pixels: torch.Tensor, w: np.ndarray) -> np.ndarray:
        """Fused descriptors of uint8 [N, 3, height, width], L2-normalised, float32 [N, D]."""
        v_a, v_s = branch_vectors(self.network, pixels, self.device, self.runtime)
        return self.network.head(v_a, v_s, torch.from_numpy(w).float().to(self.device)).descriptor.cpu().numpy()

    def _weights(self, q: np.ndarray) -> np.ndarray:
        """w of each q, float64 [N]; of the mean Q where it is NaN."""
        return visual_weights(self.network, q, self.config.model())
