"""A stream cut in chunks that carry real context, so that what is kept does not depend on the cuts.

        start                stop          kept
          |                    |
    ======#####################======      data: context, kept, context
    |
    first

Where the song ends, zeros take the place of the context. The same serves spectra (C, T, F) and waveforms
(C, n): "frame" below means one step along axis 1.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chunk:
    """A part of a stream with its surroundings.

    Attributes:
        start: absolute frame at which the kept part begins.
        stop: absolute frame before which it ends.
        first: absolute frame of data[:, 0], a multiple of `multiple`.
        data: (C, T, ...), the kept part with context on both sides.
    """

    start: int
    stop: int
    first: int
    data: np.ndarray

    @property
    def inner(self) -> slice:
        """The kept frames among those of the data."""
        return slice(self.start - self.first, self.stop - self.first)

    def kept(self, result: np.ndarray) -> np.ndarray:
        """The kept part of what was made of the data, (C, T, ...) -> (C, stop - start, ...)."""
        return result[:, self.inner]


def chunked(
    frames: Iterable[np.ndarray], first: int, size: int, context: int, multiple: int = 1
) -> Generator[Chunk, None, None]:
    """Cut a stream of frames, holding no more of it than one chunk and one block.

    Args:
        frames: blocks (C, T, ...) of any lengths.
        first: absolute index of the stream's first frame.
        size: frames kept a chunk, rounded up to the multiple.
        context: frames on each side, rounded up to the multiple.
        multiple: chunks and their data begin and end on absolute multiples of it. Only the song itself may
            begin and end between: the kept part then does so too, and its data are filled up with zeros.
    """
    size, context = _round_up(max(size, 1), multiple), _round_up(context, multiple)
    begin = first // multiple * multiple  # where the next chunk begins on the grid ...
    start = first  # ... and where its kept part begins: later than that only at the start of the song
    end = first
    pending: list[np.ndarray] = []  # frames begin - context ... end
    for block in frames:
        if not pending:
            pending.append(_zeros_like(block, first - begin + context))
        pending.append(block)
        end += block.shape[1]
        if end < begin + size + context:
            continue
        held = np.concatenate(pending, axis=1)
        taken = 0
        while end >= begin + size + context:
            # A copy, so that whoever works on the data in place does not spoil the next chunk's context.
            data = held[:, taken : taken + size + 2 * context].copy()
            yield Chunk(start, begin + size, begin - context, data)
            taken += size
            begin += size
            start = begin
        pending = [held[:, taken:].copy()]
    if not pending:
        return
    held = np.concatenate([*pending, _zeros_like(pending[0], 2 * context + multiple)], axis=1)
    taken = 0
    while start < end:
        stop = min(begin + size, end)
        length = _round_up(stop, multiple) - begin + 2 * context
        yield Chunk(start, stop, begin - context, held[:, taken : taken + length].copy())
        taken += size
        begin += size
        start = begin


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _zeros_like(block: np.ndarray, length: int) -> np.ndarray:
    return np.zeros((block.shape[0], length, *block.shape[2:]), block.dtype)
