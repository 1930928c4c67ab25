"""Its place puts tests/ on the import path, for `import networks`. Tests marked `ffmpeg` are skipped without one."""

import signal

import pytest

from mp3fix.files import ffmpeg

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts what it runs in the background so, and programs keep it: no test could interrupt them.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("ffmpeg") and ffmpeg.find() is None:
        pytest.skip("no ffmpeg")


@pytest.fixture
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without ffmpeg."""
    monkeypatch.setattr(ffmpeg, "find", lambda: None)
