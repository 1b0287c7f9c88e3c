"""Which parts of QAFM were trained before stage 2: those are frozen at first and slowed afterwards (C11)."""

from torch import nn

from qafm.config.branches import ApanConfig, Stage1Losses
from qafm.config.fusion import TrainFusionConfig
from qafm.models.qafm import Qafm


def trained_before(model: Qafm, apan: ApanConfig, *, apn_trained: bool, apan_losses: Stage1Losses | None) -> list[nn.Module]:
    """The modules that stage 5 has trained.

    APN alone trains everything in its branch, and so does APAN on all its losses. On its attribute losses it trains what the attribute heads see:
    with separate heads that leaves out v_s itself (the embedding after the ConvLSTM, and the pooling it alone reads), and always its identity head.

    Args:
        model: what stage 6 trains.
        apan: APAN's architecture.
        apn_trained: APN was trained.
        apan_losses: the losses APAN was trained on; None: it was not.
    """
    modules: list[nn.Module] = []
    if apn_trained:
        modules.append(model.visual)
    if apan_losses == "all":
        modules.append(model.attribute)
    elif apan_losses == "attributes":
        branch = model.attribute.apan
        new = {branch.neck, *([branch.embed, branch.pool] if apan.heads == "separate" else [])}
        modules.append(model.attribute.backbone)
        modules.extend(child for child in branch.children() if child not in new)
    return modules


class Freezing:
    """Freezes modules for the first epochs and tells the optimiser's groups apart.

    Args:
        model: everything that is trained.
        before: what `trained_before` returned.
        config: freeze_epochs and branch_lr_factor.
    """

    def __init__(self, model: Qafm, before: list[nn.Module], config: TrainFusionConfig) -> None:
        self.model, self.before, self.epochs = model, before, config.freeze_epochs
        apan_gates = model.attribute.apan.gates
        self.slow = [parameter for module in before for parameter in module.parameters() if parameter.requires_grad]
        if apan_gates is not None and model.attribute.backbone in before:
            self.slow.append(apan_gates)
        slow = {id(parameter) for parameter in self.slow}
        self.fast = [parameter for parameter in model.parameters() if parameter.requires_grad and id(parameter) not in slow]

    def train_mode(self, epoch: int) -> None:
        """Train mode for all; in the first epochs eval mode and no gradient for what was trained before (batch-norm statistics stay too)."""
        frozen = epoch < self.epochs
        self.model.train()
        for parameter in self.slow:
            parameter.requires_grad_(not frozen)
        if frozen:
            for module in self.before:
                module.eval()
