"""The frames of an MP3, counted without decoding: what the file holds, what it promises, where it is damaged.

The walk follows the headers from frame to frame; where one is not where it should be, it looks for the next.
"""

import re
from dataclasses import dataclass
from mmap import mmap

from . import headers, infotag, tagbytes
from .headers import HEADERS

# A decoder delays by 528 samples, and LAME's tag counts from the sample after that.
DECODER_DELAY = 529
_MODES = ("stereo", "joint stereo", "dual channel", "mono")
# ffmpeg wants three headers in a row, mpg123 two, before they believe that there is a stream.
_ENOUGH = 4
_NOT_ZERO = re.compile(rb"[^\0]")


@dataclass(frozen=True)
class FrameScan:
    """What a walk over the frame headers found. Without a single frame, everything is zero or None.

    Attributes:
        frames: whole frames of audio; the Xing/Info/VBRI frame and a last frame cut short are not among them.
        samples: samples per channel these frames decode to, before gapless trimming.
        samples_per_frame: 1152 (MPEG-1) or 576.
        rate: Hz, of the first frame.
        channels: 1 or 2, of the first frame.
        mode: "stereo", "joint stereo", "dual channel" or "mono".
        bitrate_kbps: mean over the frames.
        bitrate_mode: "CBR", "VBR" or "ABR".
        garbage_bytes: bytes that belong to no frame and no tag. Not counted: zeros alone before the first
            frame (padding), and a last frame cut short.
        truncated: the data end in the middle of a frame.
        runs: byte ranges of frames that follow each other without a gap, in order; undamaged files have one.
        broken: where the side information of frames is that cannot be decoded, since the data before them or
            their own end are lost, and what to put there so that decoders give silence instead of noise.
        filler: silent frames to put behind a stream of so few that decoders see none; not counted anywhere.
        promised_frames: frames the Xing/Info/VBRI header promises, None where it does not say.
        encoder: from the header or LAME's signature in the first frames; "LAME3.100", "Lavc59.37", "FhG" ...
        lowpass_hz: the encoder's lowpass, None where it is not said.
        delay: samples the encoder put before the music, None without a gapless tag.
        padding: samples the encoder put after the music, None without a gapless tag.
    """

    frames: int = 0
    samples: int = 0
    samples_per_frame: int = 0
    rate: int = 0
    channels: int = 0
    mode: str = ""
    bitrate_kbps: int = 0
    bitrate_mode: str = "CBR"
    garbage_bytes: int = 0
    truncated: bool = False
    runs: tuple[tuple[int, int], ...] = ()
    broken: tuple[tuple[int, bytes], ...] = ()
    filler: bytes = b""
    promised_frames: int | None = None
    encoder: str | None = None
    lowpass_hz: int | None = None
    delay: int | None = None
    padding: int | None = None

    @property
    def trim(self) -> tuple[int, int]:
        """First and last + 1 sample of the music in the untrimmed decode of what the file promises.

        Without a gapless tag that is everything. Where more frames follow than the tag promises (files put
        end to end), only the start is trimmed. The end may lie beyond `samples`: then something is missing.
        """
        promised = (self.promised_frames or 0) * self.samples_per_frame
        total = max(promised, self.samples)
        if self.delay is None or self.padding is None:
            return 0, total
        start = self.delay + DECODER_DELAY
        longer = promised and self.samples > promised
        stop = total if longer else total - max(0, self.padding - DECODER_DELAY)
        return (start, stop) if start < stop else (0, total)

    @property
    def expected_samples(self) -> int:
        """Samples per channel the file promises after gapless trimming."""
        start, stop = self.trim
        return stop - start

    @property
    def duration(self) -> float:
        """Seconds of music that are there, after gapless trimming."""
        start, stop = self.trim
        return max(0, min(stop, self.samples) - start) / self.rate if self.rate else 0.0


def scan(data: bytes | mmap) -> FrameScan:
    """Walks the frame headers of an MP3 from one end to the other, resynchronising after garbage.

    Reads a few bytes a frame, in linear time, and keeps only the runs. Never raises for what the bytes say.
    """
    begin, end = tagbytes.audio_span(data)
    found = headers.find(data, begin, end, None)
    if found is None:
        return FrameScan()
    return _Walk(data, begin, end, *found).result()


class _Walk:
    """The state of one scan."""

    def __init__(self, data: bytes | mmap, begin: int, end: int, first: int, free: int) -> None:
        self.data, self.end, self.free = data, end, free
        self.first = HEADERS[data[first : first + 3]]
        self.mono = data[first + 3] >> 6 == 3
        self.joint = False
        self.frames = self.samples = self.kbps_sum = 0
        self.kbps_seen: set[int] = set()
        self.runs: list[tuple[int, int]] = []
        self.broken: list[tuple[int, bytes]] = []
        self.last = 0
        self.truncated = False
        # Tags written with too short a size leave zeros behind them.
        self.garbage = first - begin if _NOT_ZERO.search(data, begin, first) else 0
        length = self.first.length or free + self.first.pad
        mpeg1 = self.first.samples == 1152
        self.tag = infotag.parse(data[first : min(first + length, end)], mpeg1, self.mono)
        self.mode = _MODES[data[first + 3] >> 6]
        self.start = first + length if self.tag else first
        self._walk(self.start)

    def _walk(self, pos: int) -> None:
        """Counts frames from `pos` to the end."""
        data, end, get = self.data, self.end, HEADERS.get
        current, rate = self.first.format, self.first.rate
        run, reservoir = pos, 0
        while pos < end:
            header = get(data[pos : pos + 3])
            if header is not None and header.format == current and (header.length or self.free):
                length = header.length or self.free + header.pad
                if pos + length <= end:
                    if reservoir < headers.RESERVOIR:
                        reservoir = self._fill(pos, length, reservoir)
                    self.frames += 1
                    # A stream that changes its rate is counted in samples of its first rate.
                    self.samples += header.samples * rate // header.rate
                    kbps = header.kbps or round(length * 8 * header.rate / header.samples / 1000)
                    self.kbps_sum += kbps
                    self.kbps_seen.add(kbps)
                    self.joint |= data[pos + 3] >> 6 == 1
                    self.last = pos
                    pos += length
                    continue
                self.truncated = True
                break
            self._close(run, pos)
            garbage = self.garbage
            run = pos = self._resync(pos, current)
            before, current = current, HEADERS[data[pos : pos + 3]].format if pos < end else current
            if self.garbage > garbage or current != before:
                reservoir = 0  # but tags alone, which decoders never see, take nothing out of it
        self._close(run, min(pos, end))

    def _fill(self, pos: int, length: int, reservoir: int) -> int:
        """Bytes of main data in this run up to the frame's end; one that needs more before it is broken."""
        _, stop, back = headers.side_info(self.data, pos)
        if back > reservoir:
            self._break(pos, reservoir)
        return reservoir + max(0, pos + length - stop)

    def _break(self, pos: int, reservoir: int) -> None:
        """Notes a broken frame. Decoders keep as much of the reservoir as the frame says it uses."""
        start, _, _ = headers.side_info(self.data, pos)
        self.broken.append((start, headers.silent_side_info(self.data, pos, reservoir)))

    def _close(self, run: int, pos: int) -> None:
        """Ends a run of frames."""
        if pos > run:
            self.runs.append((run, pos))

    def _resync(self, pos: int, current: tuple[int, int]) -> int:
        """The next frame after `pos`, where there is none; the end where there is none at all."""
        while length := tagbytes.tag_length(self.data, pos):
            pos += length
        if pos >= self.end:
            return self.end
        next_pos, free = headers.find(self.data, pos, self.end, current) or (self.end, 0)
        self.garbage += next_pos - pos
        self.free = free or self.free
        # More than a tag nobody knows: the garbage has most likely begun within the last frame.
        if self.frames and next_pos - pos >= pos - self.last:
            start, _, back = headers.side_info(self.data, self.last)
            if not self.broken or self.broken[-1][0] != start:
                self._break(self.last, back)
        return next_pos

    def result(self) -> FrameScan:
        """The scan's findings."""
        if not self.frames:
            return FrameScan()
        tag = self.tag
        several = len(self.kbps_seen) > 1
        mode = tag.bitrate_mode if tag else "CBR"
        return FrameScan(
            frames=self.frames,
            samples=self.samples,
            samples_per_frame=self.first.samples,
            rate=self.first.rate,
            channels=1 if self.mono else 2,
            mode="joint stereo" if self.joint and not self.mono else self.mode,
            bitrate_kbps=round(self.kbps_sum / self.frames),
            bitrate_mode="VBR" if several and mode == "CBR" else mode,
            garbage_bytes=self.garbage,
            truncated=self.truncated,
            runs=tuple(self.runs),
            broken=tuple(self.broken),
            filler=headers.silent_frame(self.data, self.last, self.free) * max(0, _ENOUGH - self.frames),
            promised_frames=tag.frames if tag else None,
            encoder=tag.encoder if tag and tag.encoder else self._signature(),
            lowpass_hz=tag.lowpass_hz if tag else None,
            delay=tag.delay if tag else None,
            padding=tag.padding if tag else None,
        )

    def _signature(self) -> str | None:
        """LAME's name, which it writes into the unused bits of a frame where it has no tag to write it in."""
        found = re.search(rb"LAME\d\.[0-9a-z.]{1,6}", self.data[self.start : self.start + 65536])
        return found.group().decode("ascii").rstrip(".") if found else None
