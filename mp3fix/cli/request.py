"""The options of the program mp3fix, and which of them mean nothing together."""

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from mp3fix.errors import DeviceError, UsageError

if TYPE_CHECKING:
    from mp3fix.batch.done import Recipe
    from mp3fix.generator.contract import Contract


@dataclass(frozen=True)
class Request:
    """The options, as typed; cli.options documents them."""

    inputs: list[str] | None
    input_list: str | None
    output: str | None
    name: str | None
    force: bool
    form: Literal["wav", "flac"] | None
    bits: Literal["16", "24", "32f"] | None
    rate: int | None
    gain: float | None
    below: int | None
    others: Literal["skip", "copy"]
    no_tags: bool
    preserve_time: bool
    start: str
    duration: str | None
    seed: int | None
    samples: int
    texture: float | None
    mix: float
    phase: Literal["complex", "griffinlim", "neighbours"] | None
    model: str
    device: str
    threads: int | None
    jobs: int | None
    scheduler: str | None
    fast: bool
    preset: str | None
    info: bool
    list_models: bool
    dry_run: bool
    json: bool
    quiet: bool
    verbose: bool
    plot: str | None
    plot_scale: Literal["linear", "mel", "log"]
    plot_channels: Literal["mono", "all"]
    page: str | None
    page_seconds: float
    version: bool

    @property
    def piped(self) -> bool:
        """Whether the music comes from standard input, or goes to standard output."""
        from mp3fix.batch.sources import STDIO

        return self.streams or STDIO in (self.inputs or [])

    @property
    def streams(self) -> bool:
        """Whether the music goes to standard output."""
        from mp3fix.batch.sources import STDIO

        return self.output == STDIO


def check(request: Request, contract: "Contract", suffix: str) -> None:
    """Refuse what means nothing.

    Args:
        request: the options.
        contract: the generator's.
        suffix: of the outputs.

    Raises:
        UsageError: with the reason.
    """
    from mp3fix.batch.sources import STDIO
    from mp3fix.cli.plot import picture_name
    from mp3fix.cli.values import seconds
    from mp3fix.files.flacfile import can_hold_rate
    from mp3fix.generator.devices import parse_device
    from mp3fix.report.extras import need

    if request.scheduler is not None and not _is_address(request.scheduler):
        raise UsageError(
            f"--scheduler {request.scheduler}: is no address of a scheduler, as in tcp://host:8786"
        )
    try:
        parse_device(request.device)
    except DeviceError as error:
        raise UsageError(f"--device: {error}") from error
    if request.fast and request.device == "cpu":
        raise UsageError("--fast is about a GPU's rounding; with --device cpu it means nothing")
    if request.output == STDIO:
        if request.json:
            raise UsageError("--json and -o - would both write to standard output")
        if sys.stdout is None:
            raise UsageError("standard output is closed; -o - has nowhere to go")
        if sys.stdout.isatty():
            raise UsageError(
                "-o - would write to the terminal; pipe it into a player, or redirect it to a file"
            )
    if request.below is not None and request.piped:
        raise UsageError("--below chooses among files; with a pipe (-) it means nothing: leave it out")
    if request.others == "copy" and request.below is None:
        raise UsageError("--others copy is about what --below leaves; without --below it means nothing")
    for name, value in (("gain", request.gain), ("mix", request.mix), ("texture", request.texture)):
        if value is not None and math.isnan(value):  # which passes for any range in some versions of typer
            raise UsageError(f"--{name} nan is no number")
    if picture_name(request.plot) is not None:
        if request.scheduler is None:  # else its workers need it
            need("--plot", "plot", "matplotlib")
        if request.plot_channels == "all" and request.samples > 1:
            raise UsageError("--plot-channels all shows one draw; leave it out, or --samples")
    seconds(request.start)
    if request.duration is not None and seconds(request.duration) <= 0:
        raise UsageError(f"--duration {request.duration} is nothing")
    if suffix == ".flac" and request.rate and not can_hold_rate(request.rate):
        raise UsageError(f"FLAC cannot hold {request.rate} Hz; WAV can (--format wav)")
    same = f"--samples {request.samples} would be the same song"
    if request.samples > 1 and contract.kind == "deterministic":
        raise UsageError(f"{contract.name} is deterministic: {same}")
    if request.samples > 1 and 0 in (request.texture, request.mix):
        raise UsageError(f"{'--mix' if request.mix == 0 else '--texture'} 0 draws nothing: {same}")
    if request.texture is not None and not contract.texture:
        raise UsageError(f"{contract.name} has no texture to set")
    if contract.domain == "magnitude" and request.phase == "complex":
        raise UsageError(
            f"{contract.name} gives magnitudes; their phases are found by --phase griffinlim or --phase neighbours"
        )
    if contract.domain == "waveform" and request.phase is not None:
        raise UsageError(f"{contract.name} gives samples, not spectra; --phase means nothing for it")


def _is_address(text: str) -> bool:
    """Whether this can be the address of a scheduler: [PROTOCOL://]HOST:PORT."""
    try:
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        return bool(parts.hostname and parts.port)
    except ValueError:
        return False


def recipe(request: Request, contract: "Contract", digest: str, suffix: str) -> "Recipe":
    """How the outputs are made, for `batch.done.fingerprint`.

    Args:
        request: the options.
        contract: the generator's.
        digest: of the generator's file, by `batch.done.digest`.
        suffix: of the outputs.
    """
    from mp3fix.batch.done import Recipe
    from mp3fix.cli.values import seconds

    return Recipe(
        generator=digest,
        texture=_texture(request, contract),
        mix=request.mix,
        phase=request.phase or ("griffinlim" if contract.domain == "magnitude" else "complex"),
        rate=request.rate,
        form=suffix[1:],
        bits=request.bits or "24",
        gain=request.gain,
        start=seconds(request.start),
        duration=None if request.duration is None else seconds(request.duration),
        tags=not request.no_tags,
    )


def _texture(request: Request, contract: "Contract") -> float | None:
    if not contract.texture:
        return None
    return contract.default_texture if request.texture is None else request.texture
