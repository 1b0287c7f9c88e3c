"""The trained fusion head in numpy: from both branch vectors and a weight to the descriptor (Eq. 3), without torch.

Shapes: N images, Da and Ds lengths of v_a and v_s, D length of the fused descriptor. The head is affine before its activation, and w + (1 - w) = 1, so
    e(w) = act(w A + (1 - w) B)  with  A = (W_a v_a) * scale + shift,  B = (W_s v_s) * scale + shift:
the FC runs once per image, whatever number of weights is tried.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from qafm.errors import InputError

_TENSORS = ("fc_weight", "fc_scale", "fc_shift", "apn_scale", "apn_shift", "apan_scale", "apan_shift")


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows divided by their L2 norm, float32 [N, D]; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32, copy=False)


@dataclass(frozen=True)
class Parts:
    """What the head makes of each branch alone: the descriptor before activation and L2 is w * visual + (1 - w) * attribute.

    Args:
        visual: A, float32 [N, D].
        attribute: B, float32 [N, D].
        relu: whether a ReLU follows.
    """

    visual: np.ndarray
    attribute: np.ndarray
    relu: bool = False

    def __len__(self) -> int:
        return len(self.visual)

    def at(self, weight: np.ndarray | float) -> np.ndarray:
        """L2-normalised descriptors [N, D] at the visual weight `weight`: one for all, or one per image [N]."""
        w = np.broadcast_to(np.asarray(weight, np.float32), len(self))[:, None]  # [N, 1]
        mixed = w * self.visual  # [N, D]
        mixed += (1 - w) * self.attribute
        return unit_rows(np.maximum(mixed, 0, out=mixed) if self.relu else mixed)

    def take(self, rows: np.ndarray) -> "Parts":
        """The parts of `rows`: indices or a bool mask [N]."""
        return Parts(self.visual[rows], self.attribute[rows], self.relu)


@dataclass(frozen=True)
class ExportedHead:
    """The fusion head in eval mode, every batch norm folded into a scale and a shift.

    Args:
        fc_weight: W, float32 [D, Da + Ds].
        fc_scale, fc_shift: what follows the FC before the activation, float32 [D].
        apn_scale, apn_shift: APN's own BNNeck, float32 [Da].
        apan_scale, apan_shift: APAN's own BNNeck, float32 [Ds].
        relu: activation after the FC: ReLU, or none.
        normalize: v_a and v_s are L2-normalised before they are weighted.
    """

    fc_weight: np.ndarray
    fc_scale: np.ndarray
    fc_shift: np.ndarray
    apn_scale: np.ndarray
    apn_shift: np.ndarray
    apan_scale: np.ndarray
    apan_shift: np.ndarray
    relu: bool = False
    normalize: bool = True

    @classmethod
    def load(cls, path: Path) -> "ExportedHead":
        """Read the head that stage 6 exported as safetensors (metadata: activation none|relu, normalize true|false).

        Raises:
            InputError: not such a file, or its shapes do not belong together.
        """
        try:
            with safe_open(path, framework="numpy") as stored:
                metadata = stored.metadata() or {}
                tensors = {name: np.asarray(stored.get_tensor(name), np.float32) for name in _TENSORS}
        except (OSError, SafetensorError) as error:
            raise InputError(f"{path}: is no fusion head ({error})") from error
        activation, normalize = metadata.get("activation"), metadata.get("normalize")
        if activation not in ("none", "relu") or normalize not in ("true", "false"):
            raise InputError(f"{path}: metadata says activation {activation!r} (none or relu) and normalize {normalize!r} (true or false)")
        head = cls(**tensors, relu=activation == "relu", normalize=normalize == "true")
        dim, visual_dim, attribute_dim = len(head.fc_scale), len(head.apn_scale), len(head.apan_scale)
        expected = [(dim, visual_dim + attribute_dim), (dim,), (dim,), (visual_dim,), (visual_dim,), (attribute_dim,), (attribute_dim,)]
        if [tensors[name].shape for name in _TENSORS] != expected:
            raise InputError(f"{path}: shapes do not belong together: {', '.join(f'{name} {tensors[name].shape}' for name in _TENSORS)}")
        return head

    def parts(self, v_a: np.ndarray, v_s: np.ndarray) -> Parts:
        """A and B of v_a [N, Da] and v_s [N, Ds].

        Raises:
            InputError: the vectors' lengths are not the head's.
        """
        visual_dim, attribute_dim = len(self.apn_scale), len(self.apan_scale)
        if v_a.shape[1] != visual_dim or v_s.shape[1] != attribute_dim:
            raise InputError(f"fusion head: is for v_a of {visual_dim} and v_s of {attribute_dim}, got {v_a.shape[1]} and {v_s.shape[1]}")
        if self.normalize:
            v_a, v_s = unit_rows(v_a), unit_rows(v_s)
        visual = v_a @ self.fc_weight[:, :visual_dim].T * self.fc_scale + self.fc_shift  # [N, D]
        attribute = v_s @ self.fc_weight[:, visual_dim:].T * self.fc_scale + self.fc_shift  # [N, D]
        return Parts(visual, attribute, self.relu)

    def fused(self, v_a: np.ndarray, v_s: np.ndarray, w: np.ndarray | float) -> np.ndarray:
        """The retrieval descriptor L2(act([w v_a, (1-w) v_s] W^T * scale + shift)), float32 [N, D] (Eq. 3).

        Args:
            v_a: visual vectors, float32 [N, Da].
            v_s: attribute vectors, float32 [N, Ds].
            w: visual weights in [0, 1]: one, or one per image [N].
        """
        return self.parts(v_a, v_s).at(w)

    def apn_descriptor(self, v_a: np.ndarray) -> np.ndarray:
        """APN alone: L2 of its own BNNeck's output, float32 [N, Da]."""
        return unit_rows(v_a * self.apn_scale + self.apn_shift)

    def apan_descriptor(self, v_s: np.ndarray) -> np.ndarray:
        """APAN alone: L2 of its own BNNeck's output, float32 [N, Ds]."""
        return unit_rows(v_s * self.apan_scale + self.apan_shift)


def concat(v_a: np.ndarray, v_s: np.ndarray, w: np.ndarray | float) -> np.ndarray:
    """Plain concatenation without the fusion FC: L2([w n(v_a), (1-w) n(v_s)]), n = L2 normalisation, float32 [N, Da + Ds]."""
    weight = np.broadcast_to(np.asarray(w, np.float32), len(v_a))[:, None]  # [N, 1]
    return unit_rows(np.concatenate([weight * unit_rows(v_a), (1 - weight) * unit_rows(v_s)], axis=1))
