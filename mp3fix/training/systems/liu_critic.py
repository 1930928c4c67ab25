"""What Liu's two adversarial systems, SRGAN and the improved U-Net, say of their critics' logits."""

from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


@dataclass(frozen=True)
class AdversarialWeights:
    """Of the adversarial term, beside the squared error at 1."""

    adversarial: float = 0.005


def adversarial(logits: torch.Tensor) -> torch.Tensor:
    """BCE(D(G), 1), a scalar: how far the critic is from taking what was made for a recording."""
    return binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def critic_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The mean of BCE(D(real), 1) and BCE(D(fake), 0); times zero while it is under half of the generator's.

    A loss of zero is a pause: the loop then takes no step.
    """
    loss = (adversarial(real) + binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))) / 2
    paused = loss.detach() < adversarial(fake.detach()) / 2
    return loss * ~paused
