import pytest
import torch

from qafm.companions.bpbreid.attention import PixelClassifier, Stripes, visibility


def test_classifier_is_norm_convolution_softmax(rough) -> None:
    classifier = rough(PixelClassifier(channels=6, parts=4)).eval()
    features = torch.randn(2, 6, 5, 3)
    maps, logits = classifier(features)
    assert maps.shape == (2, 5, 5, 3)
    norm, weight = classifier.norm, classifier.scores.weight[:, :, 0, 0]
    for n, y, x in ((0, 0, 0), (1, 4, 2), (1, 2, 1)):
        normed = (features[n, :, y, x] - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps) * norm.weight + norm.bias
        scores = weight @ normed + classifier.scores.bias
        torch.testing.assert_close(logits[n, :, y, x], scores, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(maps[n, :, y, x], torch.exp(scores) / torch.exp(scores).sum(), atol=1e-5, rtol=1e-4)
    assert 0.0005 < float(PixelClassifier(channels=400, parts=9).scores.weight.detach().std()) < 0.0015


def test_stripes_are_the_same_for_every_image_and_leave_no_background() -> None:
    maps, logits = Stripes(parts=3)(torch.randn(2, 7, 6, 4))
    assert logits is None and maps.shape == (2, 4, 6, 4)
    assert torch.equal(maps[0], maps[1]) and not maps[:, 0].any()
    for part in range(3):
        expected = torch.zeros(6, 4)
        expected[2 * part : 2 * part + 2] = 1
        assert torch.equal(maps[0, part + 1], expected)


def test_visibility_against_loops() -> None:
    maps = torch.rand(5, 4, 3, 2)
    maps[0, 0] = 2  # nothing but background
    maps[1, 2] = 2  # nothing but part 2
    found = visibility(maps)
    for n in range(5):
        winners = {int(maps[n, :, y, x].argmax()) for y in range(3) for x in range(2)}
        assert found.visible[n].tolist() == [part in winners for part in (1, 2, 3)]
        assert found.confidence[n].tolist() == [pytest.approx(float(maps[n, part].max())) for part in (1, 2, 3)]
    assert found.visible[0].tolist() == [False] * 3 and found.visible[1].tolist() == [False, True, False]
