"""Two runs at the same time into the same folder, and to the same file."""

from pathlib import Path

import pytest
from running import begin, end, files_in, run


@pytest.mark.slow
@pytest.mark.parametrize("force", [False, True])
def test_the_same_output_by_two_runs_is_that_of_one(song: Path, model: Path, out: Path, force: bool) -> None:
    for seed in (1, 2):
        assert run(song, "--model", model, "--seed", seed, "-o", out / f"{seed}.flac").code == 0
    references = [(out / f"{seed}.flac").read_bytes() for seed in (1, 2)]
    assert references[0] != references[1]
    options = ["--model", model, "-o", out / "x.flac", *["--force"] * force]
    for _ in range(3):
        ended = [end(process) for process in [begin(song, "--seed", seed, *options) for seed in (1, 2)]]
        if force:
            assert [each.code for each in ended] == [0, 0]
            assert (out / "x.flac").read_bytes() in references
        else:
            first = [each.code for each in ended].index(0)
            assert ended[1 - first].code == 1 and "x.flac exists" in ended[1 - first].err
            assert (out / "x.flac").read_bytes() == references[first]
        assert files_in(out) == ["1.flac", "2.flac", "x.flac"]
        (out / "x.flac").unlink()


def test_two_runs_share_a_new_folder(song: Path, made_song: bytes, model: Path, out: Path) -> None:
    other = song.with_name("other.mp3")
    other.write_bytes(made_song)
    both = [begin(path, "--model", model, "-o", out / "new" / "er") for path in (song, other)]
    assert [end(process).code for process in both] == [0, 0]
    assert files_in(out) == ["new/er/other.flac", "new/er/song.flac"]
    assert (out / "new/er/other.flac").read_bytes() == (out / "new/er/song.flac").read_bytes()
