"""Forward passes in batches: every image once, in order, without gradients, in the precision asked for."""

import pytest
import torch

from qafm.config.backbone import BackboneConfig
from qafm.config.branches import ApanConfig, ApnConfig
from qafm.config.fusion import ArchitectureConfig, HeadConfig
from qafm.config.runtime import RuntimeConfig
from qafm.features.branch_vectors import branch_vectors
from qafm.images.forward import IMAGES_PER_BATCH, forward_all, forward_batches
from qafm.images.network_input import normalize
from qafm.models.qafm import Qafm

CPU = torch.device("cpu")
PIXELS = torch.randint(0, 256, (2 * IMAGES_PER_BATCH + 5, 3, 4, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_every_image_once_and_in_order_as_the_network_sees_it() -> None:
    found = list(forward_batches(lambda batch: batch.mean(dim=(1, 2, 3)), PIXELS, CPU, RuntimeConfig()))
    assert [len(part) for part in found] == [IMAGES_PER_BATCH, IMAGES_PER_BATCH, 5]
    torch.testing.assert_close(torch.cat(found), normalize(PIXELS).mean(dim=(1, 2, 3)))


def test_a_network_that_normalises_by_itself_gets_the_pixels() -> None:
    found = list(forward_batches(lambda batch: batch, PIXELS, CPU, RuntimeConfig(), prepare=lambda batch: batch))
    assert torch.equal(torch.cat(found), PIXELS)


def test_no_gradient_is_kept_and_the_consumer_s_own_mode_is_left_alone() -> None:
    weight = torch.ones((), requires_grad=True)
    for output in forward_batches(lambda batch: weight * batch.sum(), PIXELS, CPU, RuntimeConfig()):
        assert not output.requires_grad
        assert torch.is_grad_enabled()


@pytest.mark.parametrize(("precision", "inside"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_the_run_s_precision_and_float32_out(precision: str, inside: torch.dtype) -> None:
    seen = []
    layer = torch.nn.Linear(24, 2)

    def network(batch: torch.Tensor) -> torch.Tensor:
        output = layer(batch.flatten(1))
        seen.append(output.dtype)
        return output

    found = forward_all(network, PIXELS, CPU, RuntimeConfig.model_validate({"precision": precision}))
    assert set(seen) == {inside}
    assert (found.dtype, found.shape) == (torch.float32, (len(PIXELS), 2))


def test_branch_vectors_are_those_of_eval_mode() -> None:
    architecture = ArchitectureConfig(
        backbone=BackboneConfig(name="resnet10", channels=16, init="random", height=64, width=32),
        apn=ApnConfig(mfpm_channels=8, decoder_channels=(8,), lam_channels=(16, 16), embedding_dim=12),
        apan=ApanConfig(pafm_channels=4, step_channels=4, hidden_channels=4, embedding_dim=10),
    )
    pixels = torch.randint(0, 256, (3, 3, 64, 32), dtype=torch.uint8)
    model = Qafm(architecture, HeadConfig(dim=14), 3, None)
    v_a, v_s = branch_vectors(model.train(), pixels, CPU, RuntimeConfig())
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(v_a, model.visual(normalize(pixels)).v_a)
        torch.testing.assert_close(v_s, model.attribute(normalize(pixels)).v_s)
