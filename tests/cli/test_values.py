"""What the values of some options mean."""

from pathlib import Path

import pytest

from mp3fix.cli.values import output_suffix, seconds, seeds
from mp3fix.errors import UsageError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("output", "form", "bits", "suffix"),
    [
        (None, None, None, ".flac"),
        ("out/", None, "16", ".flac"),
        ("out/", "wav", None, ".wav"),
        ("out/", None, "32f", ".wav"),
        ("-", None, "16", ".wav"),
        ("-", "wav", "32f", ".wav"),
        ("x.wav", None, "32f", ".wav"),
        ("x.Flac", "flac", "24", ".flac"),
        ("out.wav/", "flac", None, ".flac"),
    ],
)
def test_the_format(output: str | None, form: str | None, bits: str | None, suffix: str) -> None:
    assert output_suffix(output, form, bits) == suffix


@pytest.mark.parametrize(
    ("output", "form", "bits"),
    [
        ("x.flac", None, "32f"),
        (None, "flac", "32f"),
        ("-", "flac", None),
        ("x.wav", "flac", None),
        ("x.flac", "wav", None),
    ],
)
def test_formats_that_contradict_each_other(output: str | None, form: str | None, bits: str | None) -> None:
    with pytest.raises(UsageError):
        output_suffix(output, form, bits)


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("1:30", 90), ("1:02:03.5", 3723.5), ("0.25", 0.25), ("0", 0), ("90.", 90)],
)
def test_times(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "1:", ":30", "1:2:3:4", "1m", "nan", "inf", "1e3", "1,5", " 1", "1\n"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        seconds(text)


def test_seeds() -> None:
    assert seeds(None, 1) == (0,)
    assert seeds(7, 3) == (7, 8, 9)
    assert seeds(2**63 - 1, 1) == (2**63 - 1,)
    with pytest.raises(UsageError, match=str(2**63 - 1)):
        seeds(2**63 - 1, 2)
