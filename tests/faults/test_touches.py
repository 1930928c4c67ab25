"""What the program opens, writes and talks to, as strace sees it: what was named, and what is its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running import PATIENCE, PROGRAM, ROOT, files_in

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="no strace")

# "12 openat(AT_FDCWD</cwd>, "name", O_RDONLY) = 3</whole/name>"
CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += +(-?\d+|\?)(?:<(.*?)>(?:\(deleted\))?)?(?: .*)?$")
NAMED = re.compile(r'"((?:[^"\\]|\\.)*)"')
CHANGES = {
    "rename",
    "link",
    "unlink",
    "mkdir",
    "rmdir",
    "chmod",
    "chown",
    "truncate",
    "symlink",
    "mknod",
    "utime",
}
# Of the system: libraries and their cache, time zone, locales, and what it says of itself.
SYSTEM = (
    "/usr/lib",
    "/usr/local/lib",
    "/lib",
    "/usr/share/locale",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
)
SYSTEM += ("/etc/locale.alias", "/etc/localtime", "/proc", "/sys", "/dev/null", "/dev/urandom")
# OpenSSL, and libraries that ffmpeg is built with, look for their settings.
SYSTEM += (
    "/etc/ssl/openssl.cnf",
    "/usr/lib/ssl",
    "/etc/pulse",
    "/etc/OpenCL",
    "/usr/share/libdrm",
    "/etc/alsa",
)
PYTHON = (sys.base_prefix, sys.prefix, str(ROOT / "mp3fix"), str(ROOT / "models"))


class Trace:
    """What a run did.

    Attributes:
        network: all calls that have to do with a network.
        started: programs.
        read: files that were opened to be read, by their real names.
        changed: files that were opened to be written, made, renamed or removed; folders too.
    """

    def __init__(self, text: str) -> None:
        self.network: list[str] = []
        self.started: set[str] = set()
        self.read: set[str] = set()
        self.changed: set[str] = set()
        for line in text.splitlines():
            if match := CALL.match(line):
                self._note(line, *match.groups())

    def _note(self, line: str, call: str, arguments: str, result: str, opened: str | None) -> None:
        named = [name.encode().decode("unicode_escape") for name in NAMED.findall(arguments)]
        if call in (
            "socket",
            "connect",
            "bind",
            "listen",
            "accept",
            "sendto",
            "sendmsg",
            "recvfrom",
            "recvmsg",
        ):
            self.network.append(line)
        elif result.startswith("-"):
            return
        elif call == "execve":
            self.started.add(os.path.realpath(named[0]))
        elif call in ("open", "openat", "creat") and opened is not None:
            if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments) or call == "creat":
                self.changed.add(opened)
            elif "O_DIRECTORY" not in arguments:
                self.read.add(opened)
        elif call.removesuffix("at2").removesuffix("at").removesuffix("ens") in CHANGES:
            self.changed.update(map(os.path.realpath, named))


@pytest.fixture
def traced(tmp_path: Path, model: Path, spool: Path) -> Callable[..., Trace]:
    """Runs the program on a machine without a GPU under strace."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MP3FIX_", "XDG_"))}

    def run(*arguments: object, path: str = os.environ["PATH"], stdin: Path | None = None) -> Trace:
        # Python's own cache of what it compiled is not what this is about.
        ours = {"HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        strace = [str(shutil.which("strace")), "-f", "-y", "-qq", "-s", "4096", "-e", "trace=%file,%network"]
        options = ["--model", str(model), "--device", "cpu"]
        with open(stdin or os.devnull, "rb") as given:
            subprocess.run(
                [*strace, "-o", tmp_path / "trace", *PROGRAM, *map(str, arguments), *options],
                env=kept | ours,
                stdin=given,
                timeout=PATIENCE,
                check=True,
            )
        assert files_in(home) == [] and files_in(spool) == []
        trace = Trace((tmp_path / "trace").read_text(errors="replace"))
        assert trace.network == []
        return trace

    return run


def foreign(paths: set[str], *own: object) -> list[str]:
    """Those that are neither below `own`, nor strace's names of pipes and unnamed files."""
    prefixes = tuple(os.path.realpath(str(each)) for each in own)
    found = [path for path in paths if path.startswith("/")]
    return sorted(path for path in found if not any(f"{path}/".startswith(f"{each}/") for each in prefixes))


def check(trace: Trace, sources: list[Path], model: Path, out: Path, spool: Path) -> None:
    assert any(str(out) in path for path in trace.changed) and any(str(model) in path for path in trace.read)
    assert foreign(trace.changed, out, spool, "/dev/null") == []
    for path in foreign(trace.changed, spool, "/dev/null"):
        beside = Path(path).name
        assert Path(path) == out or re.fullmatch(
            r"[\w.-]+\.flac|\.[\w.-]+\.flac\.mp3fix-\d+-[0-9a-f]{24}\.tmp", beside
        )
    assert foreign(trace.read, *sources, model, out, spool, *SYSTEM, *PYTHON) == []


@pytest.mark.ffmpeg
def test_with_ffmpeg(traced: Callable[..., Trace], song: Path, model: Path, out: Path, spool: Path) -> None:
    secret = song.with_name("other.mp3")
    secret.write_bytes(song.read_bytes())
    trace = traced(song, "-o", out / "x.flac")
    check(trace, [song], model, out, spool)
    assert trace.started == {os.path.realpath(sys.executable), os.path.realpath(str(shutil.which("ffmpeg")))}


@pytest.mark.slow
def test_without_ffmpeg(
    traced: Callable[..., Trace], song: Path, model: Path, out: Path, spool: Path
) -> None:
    trace = traced(song, "--samples", 2, "-o", out / "x.flac", path="/nowhere")
    check(trace, [song], model, out, spool)
    assert trace.started == {os.path.realpath(sys.executable)}


@pytest.mark.slow
def test_standard_input_goes_to_the_folder_for_temporary_files(
    traced: Callable[..., Trace], song: Path, model: Path, out: Path, spool: Path
) -> None:
    trace = traced("-", "-o", out / "x.flac", stdin=song)
    check(trace, [song], model, out, spool)
    assert [path for path in trace.changed if re.search(r"/spool/\.stdin\.mp3fix-", path)]


@pytest.mark.slow
def test_a_folder_by_two_processes(
    traced: Callable[..., Trace], song: Path, model: Path, out: Path, spool: Path
) -> None:
    for number in range(3):
        song.with_name(f"song-{number}.mp3").write_bytes(song.read_bytes())
    trace = traced(song.parent, "-j", 2, "-o", out)
    check(trace, [song.parent], model, out, spool)
    assert len(files_in(out)) == 4


def test_the_test_sees_what_it_is_there_for(tmp_path: Path) -> None:
    """Else a strace that writes in another way would let everything pass."""
    written, renamed = str(tmp_path / "written"), str(tmp_path / "renamed")
    script = (
        f"import os, socket; s = socket.socket(); one, two = {written!r}, {renamed!r}\n"
        "open(one, 'w').close(); open(one).close(); os.rename(one, two); os.unlink(two)"
    )
    strace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", "trace=%file,%network", "-o", "trace"]
    subprocess.run([*strace, sys.executable, "-c", script], cwd=tmp_path, timeout=PATIENCE, check=True)
    trace = Trace((tmp_path / "trace").read_text())
    assert len(trace.network) == 1 and "AF_INET" in trace.network[0]
    assert {written, renamed} <= trace.changed and written in trace.read
    assert os.path.realpath(sys.executable) in trace.started
