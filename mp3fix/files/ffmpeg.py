"""Decoding with ffmpeg: where it is, and a child process that writes a WAV stream of floats into a pipe."""

import os
import re
import shutil
import signal
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from ..bitstream.frames import FrameScan
from ..errors import DecodeError
from . import sniff, temporary
from .mp3stream import repaired_copy
from .names import shown
from .source import lfe_channels
from .watchdog import Watchdog

VARIABLE = "MP3FIX_FFMPEG"
# Demuxers that open other files, devices or the network at the word of the file they read.
_REFERRING = {
    "applehttp",
    "avisynth",
    "concat",
    "concatf",
    "dash",
    "hls",
    "image2",
    "image2pipe",
    "imf",
    "lavfi",
}
_REFERRING |= {"mlv", "rtp", "rtsp", "sap", "sdp", "vapoursynth", "vobsub", "webm_dash_manifest"}
_OUTPUT = ["-map", "0:a:0", "-map_metadata", "-1", "-bitexact", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"]
_STDERR_LINES = 20
_PATIENCE_S = 10.0
HANG_S = 60.0  # without a byte while we wait for one; its disk may have to wake up


def find() -> Path | None:
    """The ffmpeg to use: $MP3FIX_FFMPEG, the PATH, imageio-ffmpeg's; None where there is none.

    Raises:
        DecodeError: $MP3FIX_FFMPEG names something that is not a program.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = shutil.which(named)
        if program is None:
            raise DecodeError(f"{VARIABLE}={named} is not a program: set it to an ffmpeg, or unset it")
        return Path(program)
    program = shutil.which("ffmpeg")
    if program is not None:
        return Path(program)
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError, OSError):
        return None


@lru_cache
def safe_formats(program: Path) -> str:
    """The demuxers of this ffmpeg that read one file and nothing else, as `-format_whitelist` wants them."""
    try:
        listing = subprocess.run(
            [program, "-hide_banner", "-v", "error", "-demuxers"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError) as error:
        raise DecodeError(f"{shown(program)}: cannot be run ({error}): reinstall ffmpeg") from error
    names: list[str] = []
    for line in listing.splitlines():
        # " D  wav  WAV / WAVE"; newer versions add a "d" for devices, and the legend has "=" for a name.
        match = re.match(r"^\s*D\s+(\S+)", line)
        if match and match.group(1) not in ("=", "d") and not _REFERRING & set(match.group(1).split(",")):
            names.append(match.group(1))
    if not names:
        raise DecodeError(f"{shown(program)}: does not list its formats: is it an ffmpeg?")
    return ",".join(names)


def input_arguments(program: Path, path: Path, mp3_span: tuple[int, int] | None = None) -> list[str]:
    """The command line up to and with the input: no stdin, no other file, whatever the name looks like.

    Args:
        program: the ffmpeg.
        path: the file.
        mp3_span: for an MP3, the bytes of its frames (without the Info frame: so ffmpeg does not trim by it);
            None for other formats.
    """
    formats, protocols, url = safe_formats(program), "file", f"file:{os.fspath(path)}"
    if mp3_span is not None:
        formats, protocols = "mp3", "subfile,file"
        url = f"subfile,,start,{mp3_span[0]},end,{mp3_span[1]},,:{url}"
    elif not sniff.is_other_layer(path):
        # Named .mp3, any noise is decoded to noise.
        formats = ",".join(name for name in formats.split(",") if name != "mp3")
    head = [os.fspath(program), "-nostdin", "-hide_banner"]
    whitelists = ["-protocol_whitelist", protocols, "-format_whitelist", formats]
    return [*head, *whitelists, *(["-f", "mp3"] if mp3_span else []), "-guess_layout_max", "0", "-i", url]


class FfmpegSource:
    """A file decoded by an ffmpeg child process. A `Source`."""

    def __init__(self, program: Path, path: Path, frames: FrameScan | None = None) -> None:
        """Starts ffmpeg and waits for the first sample.

        Args:
            program: the ffmpeg.
            path: the file.
            frames: the frames of an MP3; None for other formats.

        Raises:
            DecodeError: ffmpeg decodes nothing of this file; the message carries its last line.
        """
        self._path = path
        self._copy: Path | None = None
        span = frames.runs[0] if frames else None
        safe_formats(program)  # before there is a copy: this is no ffmpeg, perhaps
        if frames and (frames.broken or len(frames.runs) > 1 or frames.filler):
            # Where it resynchronises by itself, ffmpeg gives bursts of many times full scale.
            try:
                self._copy = repaired_copy(path, frames)
                span = (0, self._copy.stat().st_size)
            except OSError as error:
                raise DecodeError(f"{shown(path)}: no room for a repaired copy ({error})") from error
        command = input_arguments(program, self._copy or path, span)
        command[2:2] = ["-v", "error"]
        command += _OUTPUT
        try:
            # A session of its own: an interrupt from the keyboard is ours to handle, not to cut a song short.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=1 << 18,
                start_new_session=True,
            )
        except BaseException as error:
            self._remove_copy()
            if isinstance(error, OSError | ValueError):
                raise DecodeError(f"{shown(program)}: cannot be run ({error}): reinstall ffmpeg") from error
            raise
        self._lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._line_count = 0
        assert self._process.stdout is not None and self._process.stderr is not None
        self._stdout, self._stderr = self._process.stdout, self._process.stderr
        self._drain = threading.Thread(target=self._drain_stderr, daemon=True)
        self._drain.start()
        self._watchdog = Watchdog(HANG_S, self._kill)
        try:
            with self._awaited():
                header = _read_wav_header(self._stdout)
                nothing = header is None or not self._stdout.peek(1)  # type: ignore[attr-defined]
            if header is None or nothing:
                raise DecodeError(f"{shown(path)}: ffmpeg finds no audio in it ({self._reason()})")
            self.rate, self.channels, mask = header
            self.lfe = lfe_channels(mask, self.channels)
        except BaseException:
            self.close()
            raise

    def _drain_stderr(self) -> None:
        """Keeps the last lines of what ffmpeg says; a full pipe would stop it."""
        while raw := self._stderr.readline(4096):
            line = raw.decode("utf-8", "replace").strip()
            if line:
                self._lines.append(re.sub(r" @ 0x[0-9a-f]+\]", "]", line))
                self._line_count += 1

    @contextmanager
    def _awaited(self) -> Iterator[None]:
        """Around waiting for ffmpeg, which is killed when it takes too long."""
        with self._watchdog.waiting():
            yield
        if self._watchdog.barked:
            raise DecodeError(
                f"{shown(self._path)}: ffmpeg gave nothing for {HANG_S:g} s and was stopped: try again"
            )

    def _kill(self) -> None:
        """Kills the child and, where it is a script, what it has started: they would hold on to our pipes."""
        if self._process.returncode is None:
            if os.name == "posix":
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()

    def _reason(self) -> str:
        """ffmpeg's last words, once it has written all its output."""
        self._wait()
        return self._lines[-1] if self._lines else f"exit code {self._process.returncode}"

    def _wait(self) -> None:
        """Reaps the child, which has closed its output; kills it if it does not end by itself."""
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        self._drain.join(_PATIENCE_S)

    def read(self, frames: int) -> np.ndarray:
        """See `Source.read`."""
        with self._awaited():
            raw = self._stdout.read(frames * self.channels * 4)
        whole = len(raw) // (4 * self.channels) * self.channels
        return np.frombuffer(raw, "<f4", whole).reshape(-1, self.channels)

    def finish(self) -> str | None:
        """See `Source.finish`."""
        with self._awaited():
            while self._stdout.read(1 << 18):
                pass
            self._wait()
        code = self._process.returncode
        if code < 0:
            raise DecodeError(
                f"{shown(self._path)}: ffmpeg was killed (signal {-code}) before the end: try again"
            )
        if self._lines:
            return f"ffmpeg reported errors, the last of {self._line_count}: {self._lines[-1]}"
        return f"ffmpeg ended with exit code {code}" if code else None

    def close(self) -> None:
        """See `Source.close`."""
        if self._process.poll() is None:
            self._kill()
        self._process.wait()
        self._watchdog.close()
        self._drain.join(_PATIENCE_S)
        self._stdout.close()
        self._stderr.close()
        self._remove_copy()

    def _remove_copy(self) -> None:
        """Removes the repaired copy, if there is one."""
        if self._copy is not None:
            temporary.remove(self._copy)


def _read_wav_header(stream: IO[bytes]) -> tuple[int, int, int] | None:
    """Rate, channels and channel mask (0: none) of a WAV stream, which is left at its first sample."""
    head = stream.read(12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        return None
    rate = channels = mask = 0
    while len(chunk := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return (rate, channels, mask) if channels else None
        body = stream.read(size + size % 2)
        if name == b"fmt " and size >= 16:
            channels, rate = struct.unpack_from("<HI", body, 2)
            if size >= 40 and body[:2] == b"\xfe\xff":
                mask = int.from_bytes(body[20:24], "little")
    return None
