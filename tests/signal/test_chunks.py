from collections.abc import Iterator

import numpy as np
import pytest

from mp3fix.signal.chunks import Chunk, chunked


def blocks(array: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for i in range(0, array.shape[1], size):
        yield array[:, i : i + size]


def song(frames: int, shape: tuple[int, ...] = (3,)) -> np.ndarray:
    return np.random.default_rng(frames).standard_normal((2, frames, *shape)).astype(np.float32)


def check(chunks: list[Chunk], x: np.ndarray, first: int, context: int, multiple: int) -> None:
    """The kept parts cover the song once, and all data are the song on the absolute grid, zero outside it."""
    np.testing.assert_array_equal(np.concatenate([c.kept(c.data) for c in chunks], axis=1), x)
    assert chunks[0].start == first and chunks[-1].stop == first + x.shape[1]
    far = np.zeros((x.shape[0], 500, *x.shape[2:]), x.dtype)
    surrounded = np.concatenate([far, x, far], axis=1)
    for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
        end = chunk.first + chunk.data.shape[1]
        assert chunk.first % multiple == 0 and end % multiple == 0
        assert chunk.start - chunk.first >= context and end - chunk.stop >= context
        np.testing.assert_array_equal(
            chunk.data, surrounded[:, chunk.first - first + 500 : end - first + 500]
        )
        if following:
            assert chunk.stop == following.start and chunk.stop % multiple == 0


@pytest.mark.parametrize("multiple", [1, 4, 8])
@pytest.mark.parametrize("size", [1, 7, 16, 300])
@pytest.mark.parametrize("first", [-1, 0, 5])
def test_chunks_cover_the_song_with_real_context(first: int, size: int, multiple: int) -> None:
    for frames in (1, 15, 16, 17, 63, 64, 100):
        x = song(frames)
        for block in (1, 10, 200):
            for context in (0, 3, 20):
                check(
                    list(chunked(blocks(x, block), first, size, context, multiple)),
                    x,
                    first,
                    context,
                    multiple,
                )


def test_chunks_are_the_same_for_every_block_size() -> None:
    x = song(100)
    whole = list(chunked(blocks(x, 100), -1, 16, 5, 4))
    for size in (1, 9, 33):
        chunks = list(chunked(blocks(x, size), -1, 16, 5, 4))
        assert [(c.start, c.stop, c.first) for c in chunks] == [(c.start, c.stop, c.first) for c in whole]
        for one, other in zip(chunks, whole, strict=True):
            np.testing.assert_array_equal(one.data, other.data)


def test_sizes_round_up_to_the_multiple() -> None:
    chunks = list(chunked(blocks(song(100), 100), 0, 10, 3, 8))
    assert [(c.start, c.stop) for c in chunks[:3]] == [(0, 16), (16, 32), (32, 48)]
    assert chunks[1].first == 8 and chunks[1].data.shape[1] == 32


def test_waveforms_are_cut_the_same_way() -> None:
    x = song(1000, shape=())
    check(list(chunked(blocks(x, 64), 0, 100, 50, 32)), x, 0, 50, 32)


def test_work_in_place_does_not_reach_the_next_chunk() -> None:
    x = song(64)
    original = x.copy()
    kept = []
    for chunk in chunked(blocks(x, 64), 0, 16, 8):
        np.testing.assert_array_equal(
            chunk.data[:, :8], np.pad(original, ((0, 0), (8, 0), (0, 0)))[:, chunk.start :][:, :8]
        )
        kept.append(chunk.kept(chunk.data).copy())
        chunk.data[:] = np.nan
    np.testing.assert_array_equal(np.concatenate(kept, axis=1), original)
    np.testing.assert_array_equal(x, original)


def test_a_chunk_is_given_as_soon_as_its_context_is_there() -> None:
    """Else a long file would pile up in memory."""
    read = 0

    def source() -> Iterator[np.ndarray]:
        nonlocal read
        for _ in range(100):
            read += 10
            yield np.ones((1, 10, 2), np.float32)

    for chunk in chunked(source(), 0, 20, 5):
        assert read <= min(1000, chunk.stop + 5 + 10)


def test_no_frames_no_chunks() -> None:
    assert list(chunked([], 0, 10, 3)) == []
    assert list(chunked([np.zeros((2, 0, 3), np.float32)], -1, 10, 3)) == []
