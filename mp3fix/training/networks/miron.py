"""CNN: a convolutional autoencoder that paints in the missing band of a magnitude spectrogram (Miron & Davies 2018).

"High frequency magnitude spectrogram reconstruction for music mixtures using convolutional autoencoders", DAFx 2018;
one of the methods Liu 2021 (S.-T. Yau award) compares with. Of the paper, its abstract was at hand
(https://nkundiushuti.github.io/blog/high-frequency/): the band above a cut-off is reconstructed from the rest of the
spectrogram, as in inpainting, by musically adapted convolutional networks on the STFT or the CQT, and the phase is
that of the input.

Readings: STFT of 1024 and hop 256 (Liu's 513 bins). "Musically adapted" as one convolution along frequency, over all
bins, then one along time, a narrow layer, and the same mirrored. The squared error of magnitudes is the loss.

Deviations: the phase is the pipeline's task (Griffin-Lim, as Liu has it): the input has none in the missing band. The
network sees square roots of magnitudes from 10 kHz on, a choice that was not compared with others. It has no biases,
so that the output follows the level, and adds to the 165 bins above 15 kHz, with a last layer that starts at zero: an
untrained network is the MP3. 128 maps, 0.37 M parameters.
"""

import torch
from torch import nn
from torch.nn import functional

FIRST = 232  # bin, 10 kHz: the lowest that is seen
CUT = 348  # bin, 15 kHz: the lowest that is painted
BINS = 513
REACH = 4  # frames on each side, of either convolution along time
CONTEXT = 2 * REACH
LEAK = 0.2


class Autoencoder(nn.Module):
    """Magnitudes to magnitudes, (B, 1, 513, T) -> (B, 1, 513, T); depends on CONTEXT frames on each side.

    Args:
        width: maps.
        narrow: maps of the layer in the middle.
    """

    def __init__(self, width: int = 128, narrow: int = 64) -> None:
        super().__init__()
        along = 2 * REACH + 1
        shapes = (
            (BINS - FIRST, width, 1),
            (width, width, along),
            (width, narrow, 1),
            (narrow, width, 1),
            (width, width, along),
        )
        self.layers = nn.ModuleList(
            nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
            for inputs, outputs, kernel in shapes
        )
        self.last = nn.Conv1d(width, BINS - CUT, 1, bias=False)
        nn.init.zeros_(self.last.weight)

    def forward(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """The spectrogram with its top painted."""
        kept, top = magnitudes[:, 0, :CUT], magnitudes[:, 0, CUT:].sqrt()
        y = torch.cat([kept[:, FIRST:].sqrt(), top], 1)
        for layer in self.layers:
            y = functional.leaky_relu(layer(y), LEAK)
        painted = top + self.last(y)
        return torch.cat([kept, painted * painted], 1).unsqueeze(1)
