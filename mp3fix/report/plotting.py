"""matplotlib, quiet and alike on every machine: without a display, without the user's style, without a word."""

import atexit
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mp3fix.errors import Mp3fixError

# matplotlib's own font has no Chinese, Japanese or Korean; it asks these in turn, where they are installed.
_FONTS = (
    *(
        "DejaVu Sans",
        "Noto Sans CJK JP",
        "Noto Sans CJK SC",
        "Source Han Sans",
        "Hiragino Sans",
        "PingFang SC",
    ),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "WenQuanYi Zen Hei", "Arial Unicode MS", "Noto Sans"),
)


@contextmanager
def plotting() -> Iterator[None]:
    """A block in which figures are drawn: Figure(), not pyplot, which looks for a display.

    Raises:
        Mp3fixError: matplotlib is not there.
    """
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.CRITICAL)  # of fonts, of caches that cannot be kept, of a user's broken style
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # signs that no font has, for one: a box is drawn
            _load()
            import matplotlib
            from matplotlib.font_manager import fontManager

            there = set(fontManager.get_font_names())
            # A file's name may have a dollar sign; svg.hashsalt makes equal pictures equal files.
            ours: Any = {"text.parse_math": False, "svg.hashsalt": "mp3fix", "font.size": 10.0}
            ours |= {"font.family": [name for name in _FONTS if name in there] or ["sans-serif"]}
            with matplotlib.rc_context():
                matplotlib.rcdefaults()
                matplotlib.rcParams.update(ours)
                yield
    finally:
        log.setLevel(level)


def _load() -> None:
    """Import matplotlib, whatever the environment says of it, and let it leave nothing in the temporary folder."""
    backend, folder = os.environ.pop("MPLBACKEND", None), os.environ.get("MPLCONFIGDIR")
    try:
        import matplotlib.figure
        import matplotlib.font_manager

        matplotlib.get_configdir(), matplotlib.get_cachedir()  # now, not at some later moment
    except ImportError as error:
        raise Mp3fixError(f"pictures need matplotlib: pip install 'mp3fix[plot]' ({error})") from None
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    made = os.environ.get("MPLCONFIGDIR")
    if (
        made is not None and made != folder
    ):  # home is not writable: a folder for this process's cache of fonts
        shutil.rmtree(made, ignore_errors=True)
        # matplotlib removes it at Python's end, and would complain.
        atexit.register(os.makedirs, made, exist_ok=True)
        os.environ.pop("MPLCONFIGDIR")
        if folder is not None:
            os.environ["MPLCONFIGDIR"] = folder
