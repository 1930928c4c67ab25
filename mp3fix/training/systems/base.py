"""What the training loop and the export know of a system."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import nn

from mp3fix.bitstream.maps import UNKNOWN
from mp3fix.signal.stft import StftSpec
from mp3fix.training.examples import Batch


class Graph(NamedTuple):
    """What of a system is exported.

    Attributes:
        suffix: of the file's name after the configuration's: "" or, say, "-det".
        module: takes what Contract.inputs says, in that order, plain and linear. It holds the generator as `network`,
            so that training can go on from the file (`--init`).
        fields: those of Contract that the system knows: all but name, version, licence, trained_on and precision.
    """

    suffix: str
    module: nn.Module
    fields: dict[str, Any]


def contract_fields(
    spec: StftSpec,
    domain: Literal["complex", "magnitude", "waveform"],
    context: int,
    multiple: int = 1,
    noise: tuple[Literal["spectrogram", "vector"], ...] = (),
    z_size: int = 0,
    texture: float | None = None,
    conditioning: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The fields of a Graph that takes one channel a row; see Contract.

    Args:
        spec, domain, context, multiple, noise, z_size, conditioning: as of Contract, which is stochastic where there
            is noise.
        texture: the default; None: the graph has no such input.
    """
    return {
        "kind": "stochastic" if noise else "deterministic",
        "stft": spec,
        "domain": domain,
        "channels": 1,
        "noise": noise,
        "z_size": z_size,
        "texture": texture is not None,
        "default_texture": texture or 0.0,
        "conditioning": conditioning,
        "unknown": UNKNOWN if conditioning else 0.0,
        "context": context,
        "multiple": multiple,
    }


class Exported(nn.Module):
    """A generator that is exported as it is: only its weights are named as those of every file are."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """One restoration."""
        restored: torch.Tensor = self.network(*inputs)
        return restored


@dataclass(frozen=True)
class NoWeights:
    """Of a loss that has one term, or whose terms the paper weighs."""


class System(nn.Module, ABC):
    """A generator and what trains it.

    Subclasses take `weights`, an instance of their Weights, and the network's arguments by keyword.

    Attributes:
        spec: the transform; of a waveform system only its rate counts.
        Weights: dataclass of the loss terms' weights.
        betas, weight_decay: of the generator's AdamW.
        critic_betas: of the critic's Adam.
        generator: what is validated and exported, by the moving average of its weights.
        critic: trained beside it, or None.
        takes_maps: whether it is given the maps of the MP3's bitstream.
    """

    spec: ClassVar[StftSpec] = StftSpec()
    Weights: ClassVar[type] = NoWeights
    betas: ClassVar[tuple[float, float]] = (0.9, 0.98)
    weight_decay: ClassVar[float] = 0.0
    takes_maps: ClassVar[bool] = False
    critic_betas: ClassVar[tuple[float, float]] = (0.5, 0.9)

    generator: nn.Module
    critic: nn.Module | None

    def __init__(self, weights: Any) -> None:
        super().__init__()
        self.weights = weights
        self.critic = None

    @abstractmethod
    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The generator's loss of a batch, and scalars by name for the log. Validation calls it without gradients."""

    def critic_loss(self, batch: Batch) -> torch.Tensor:
        """The critic's loss of a batch, penalties included; for systems that have one."""
        raise NotImplementedError(f"{type(self).__name__} has a critic but no loss for it")

    @abstractmethod
    def exported(self) -> list[Graph]:
        """What is exported, most important first."""

    @contextmanager
    def averaged(self, average: dict[str, torch.Tensor]) -> Iterator[None]:
        """The generator with other weights, and ready for inference, for a while."""
        own = {key: value.detach().clone() for key, value in self.generator.state_dict().items()}
        self.generator.load_state_dict(average)
        self.eval()
        try:
            yield
        finally:
            self.generator.load_state_dict(own)
            self.train()
