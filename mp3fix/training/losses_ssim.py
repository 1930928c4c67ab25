"""Structural similarity of magnitude spectrograms (Wang et al. 2004, IEEE Trans. Image Processing 13, 600-612).

    SSIM = (2 m_x m_y + c1) (2 s_xy + c2) / ((m_x^2 + m_y^2 + c1) (s_x^2 + s_y^2 + c2))

with means m, variances s^2 and the covariance s_xy under a window, and c = (k L)^2, L the range of the values
(equations 6 to 13 of that paper).
"""

import math

import torch

SIGMA = 1.5  # bins and frames, of the window's Gaussian, as in the paper; the window has 3 of each


def ssim(x: torch.Tensor, y: torch.Tensor, k1: float, k2: float, span: float = 1.0) -> torch.Tensor:
    """The mean over all places where the window lies inside.

    Args:
        x, y: magnitudes, (B, F, T).
        k1, k2: constants that keep weak parts from dividing by nothing.
        span: L.

    Returns:
        (B,), at most 1, which only equals reach.
    """
    count = len(x)
    maps = torch.cat([x, y, x * x, y * y, x * y])
    m_x, m_y, xx, yy, xy = _means(_means(maps).transpose(1, 2)).split(count)
    c1, c2 = (k1 * span) ** 2, (k2 * span) ** 2
    # Rounding must not make a variance negative.
    spread = (xx - m_x * m_x).clamp_min(0) + (yy - m_y * m_y).clamp_min(0)
    structure = (2 * (xy - m_x * m_y) + c2) / (spread + c2)
    return ((2 * m_x * m_y + c1) / (m_x * m_x + m_y * m_y + c1) * structure).mean((1, 2))


def _means(x: torch.Tensor) -> torch.Tensor:
    """Of each three neighbours along the last axis, the middle one counting most."""
    beside = math.exp(-0.5 / SIGMA**2)
    return (x[..., 1:-1] + beside * (x[..., :-2] + x[..., 2:])) / (1 + 2 * beside)
