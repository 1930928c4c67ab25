"""The folder of a listening test: index.html with its policy, and the sound beside it. Whole or absent."""

import base64
import hashlib
import html
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mp3fix.errors import EncodeError
from mp3fix.files.names import system_reason

_TEMPLATES = Path(__file__).parent / "templates"
_SHARED = Path(__file__).parents[1] / "report" / "templates"
_SCRIPTS = ("order.js", "sound.js", "transport.js", "questions.js", "listen.js")


def publish(out: Path, test: dict[str, Any], sounds: dict[str, str], one_file: bool) -> int:
    """Write the folder in one step.

    Args:
        out: the folder, which must not exist.
        test: what the page's program must know.
        sounds: of each item, by its opaque name, the script with its sound.
        one_file: index.html holds the sound too.

    Returns:
        Its size in bytes.

    Raises:
        EncodeError: the disk refuses; nothing is left behind.
    """
    with errors(out):
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            folder = part / "page"  # with the permissions of new folders, which the temporary one has not
            folder.mkdir()
            (folder / "index.html").write_text(
                _page(test, sounds if one_file else {}), encoding="utf-8", newline="\n"
            )
            if not one_file:
                (folder / "sound").mkdir()
                for name, script in sounds.items():
                    (folder / "sound" / f"{name}.js").write_text(script, encoding="ascii", newline="\n")
            size = sum(path.stat().st_size for path in folder.rglob("*.*"))
            folder.rename(out)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return size


@contextmanager
def errors(out: Path) -> Iterator[None]:
    """What the system says of a folder as EncodeError."""
    try:
        yield
    except OSError as error:
        raise EncodeError(system_reason(error, str(out))) from error


def _page(test: dict[str, Any], sounds: dict[str, str]) -> str:
    """index.html. Only scripts whose digests its policy names run in it, and those of the folder beside it."""
    style = (_TEMPLATES / "listen.css").read_text(encoding="utf-8")
    data = json.dumps(test, ensure_ascii=True).replace("<", "\\u003c")
    scripts = [
        f'"use strict";\nconst TEST = {data};\n',
        (_SHARED / "player.js").read_text(encoding="utf-8"),
        *((_TEMPLATES / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        *sounds.values(),
    ]
    beside = "" if sounds else "'self' file: "
    policy = (
        f"default-src 'none'; script-src {beside}{' '.join(map(_digest, scripts))}; style-src {_digest(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    page = (_TEMPLATES / "index.html").read_text(encoding="utf-8")
    filled = {
        "POLICY": policy,
        "TITLE": html.escape(test["title"]),
        "STYLE": f"<style>{style}</style>",
        "SCRIPTS": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    # At once, so that nothing that was filled in is taken for a name.
    head, *rest = page.split("{{")
    return head + "".join(filled[name] + text for name, text in (part.split("}}", 1) for part in rest))


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
