import torch
import torch.nn.functional as F

from qafm.models.pafm import Pafm


def norm(x, module):
    return F.batch_norm(x, module.running_mean, module.running_var, module.weight, module.bias)


def test_equals_the_formula(rough):
    pafm = rough(Pafm(in_channels=6, channels=4)).eval()
    x = torch.randn(2, 6, 5, 4)
    projected = norm(F.conv2d(x, pafm.project[0].weight), pafm.project[1]).relu()
    pyramid = torch.zeros(2, 4, 5, 4)
    for path, kernel in zip(pafm.pyramid, (3, 5, 7), strict=True):
        assert path[0].weight.shape == (4, 4, kernel, kernel) and path[1].weight.shape == (4, 4, 7, 7)
        pyramid = pyramid + F.conv2d(F.conv2d(projected, path[0].weight, padding=kernel // 2), path[1].weight, padding=3)
    pyramid = norm(pyramid, pafm.pyramid_norm[0]).relu()
    context = norm(F.conv2d(F.adaptive_avg_pool2d(x, 1), pafm.context[0].weight), pafm.context[1]).relu()
    attention = norm(F.conv2d(pyramid + context, pafm.attention[0].weight), pafm.attention[1]).sigmoid()
    torch.testing.assert_close(pafm(x), x * attention)


def test_full_size():
    with torch.device("meta"):
        pafm = Pafm(in_channels=2048, channels=256)
        assert pafm(torch.zeros(2, 2048, 12, 4)).shape == (2, 2048, 12, 4)
    assert sum(parameter.numel() for parameter in pafm.parameters()) == 16_651_776
    assert pafm.out_channels == 2048


def test_trains_and_serves(check_learns, check_serves):
    pafm, x = Pafm(in_channels=6, channels=8), torch.randn(3, 6, 3, 2)
    check_learns(pafm, x)
    check_serves(pafm, x)
