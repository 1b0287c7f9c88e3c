import pytest
import torch
from torchvision.ops import Conv2dNormActivation

from qafm.models.conv_norm import ConvNorm


@pytest.mark.parametrize(("kernel_size", "dilation", "bias", "relu"), [(1, 1, True, True), (3, 1, False, True), (3, 3, True, False), (7, 1, False, True)])
def test_equals_torchvisions_from_the_same_seed(kernel_size, dilation, bias, relu):
    torch.manual_seed(2)
    activation = torch.nn.ReLU if relu else None
    reference = Conv2dNormActivation(5, 4, kernel_size, dilation=dilation, bias=bias or None, activation_layer=activation)
    torch.manual_seed(2)
    module = ConvNorm(5, 4, kernel_size, dilation=dilation, bias=bias, relu=relu)
    assert [type(part) for part in module] == [type(part) for part in reference]
    assert list(module.state_dict()) == list(reference.state_dict())
    x = torch.randn(3, 5, 6, 4)
    assert torch.equal(module(x), reference(x))
    assert torch.equal(module.state_dict()["1.running_var"], reference.state_dict()["1.running_var"])
