"""A run's checkpoint: written whole, read with plain errors, and put into a network only where it fits."""

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mp3fix.errors import Mp3fixError

KEYS = {"config", "network", "optimiser", "average", "step", "minutes", "device"}


def write(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all.

    Raises:
        Mp3fixError: it cannot be written.
    """
    temporary = path.with_suffix(".tmp")
    try:
        torch.save(state, temporary)
        temporary.replace(path)
    # PyTorch's own writer raises the second: a full disk, no such folder.
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        reason = str(error).partition("\n")[0]
        raise Mp3fixError(f"{path}: cannot be written, is the disk full? ({reason})") from None


def read(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What a checkpoint holds: KEYS and, unless it is an old one, `sources` and `init` (see loop.train).

    Raises:
        Mp3fixError: there is none, or the file is none.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise Mp3fixError(f"{path}: no such checkpoint") from None
    except OSError as error:
        raise Mp3fixError(f"{path}: {error.strerror}") from None
    with file:
        try:
            state = torch.load(file, map_location=device, weights_only=True)
        # What torch raises for other files and for cut ones.
        except (RuntimeError, EOFError, OSError, pickle.UnpicklingError):
            raise Mp3fixError(f"{path}: broken, or no checkpoint") from None
    if not isinstance(state, dict) or not state.keys() >= KEYS:
        raise Mp3fixError(f"{path}: no checkpoint of mp3fix-lab train")
    return state


def fill(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> tuple[list[str], list[str]]:
    """Put weights into a network, by name.

    Args:
        network: to be filled, in place.
        weights: what there is.
        path: where they come from, for messages.

    Returns:
        names that the network has and the weights lack, and the other way round.

    Raises:
        Mp3fixError: a shape differs, or no name is common to both; the network is as it was.
    """
    own = network.state_dict()
    common = [name for name in own if name in weights]
    if not common:
        raise Mp3fixError(f"{path}: none of its weights belongs to the configuration's network")
    for name in common:
        there, here = tuple(weights[name].shape), tuple(own[name].shape)
        if there != here:
            raise Mp3fixError(
                f"{path}: does not fit the configuration's [network]: {name} is {there} there, {here} here"
            )
    network.load_state_dict({name: weights[name] for name in common}, strict=False)
    return [name for name in own if name not in weights], [name for name in weights if name not in own]


def fill_all(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """As `fill`, but every name must be on both sides.

    Raises:
        Mp3fixError: a shape differs, or a name is missing or too many.
    """
    missing, surplus = fill(network, weights, path)
    if missing or surplus:
        name = [*missing, *surplus][0]
        raise Mp3fixError(
            f"{path}: does not fit the configuration's [network]: {name} is only in one of them"
        )
