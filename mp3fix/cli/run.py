"""What the program mp3fix does once its options are understood."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mp3fix.cli.console import Console
from mp3fix.cli.plan import STDIO, Job, UsageError, jobs, output_suffix, seconds
from mp3fix.errors import Mp3fixError, OutputExistsError
from mp3fix.files.names import shown


@dataclass(frozen=True)
class Request:
    """The options, as typed; cli.main documents them."""

    inputs: list[str]
    output: str | None
    form: Literal["wav", "flac"] | None
    bits: Literal["16", "24", "32f"] | None
    rate: int | None
    model: str
    device: str
    threads: int | None
    seed: int | None
    samples: int
    texture: float | None
    mix: float
    phase: Literal["complex", "griffinlim"] | None
    gain: float | None
    start: str
    duration: str | None
    force: bool
    dry_run: bool
    tags: bool
    preserve_time: bool
    json: bool
    quiet: bool
    verbose: bool


def list_models(as_json: bool) -> int:
    """Print the bundled generators."""
    from mp3fix.generator import catalog

    try:
        models = catalog.list_models()
    except Mp3fixError as error:
        return _fail(error)
    for name, path, contract in models:
        if as_json:
            print(
                json.dumps(
                    {
                        "name": name,
                        "version": contract.version,
                        "kind": contract.kind,
                        "domain": contract.domain,
                        "licence": contract.licence,
                        "trained_on": contract.trained_on,
                        "path": str(path),
                    }
                )
            )
        else:
            default = " (default)" if name == catalog.DEFAULT else ""
            print(
                f"{name}{default}  {contract.version}  {contract.kind}, {contract.domain}  {contract.licence}"
            )
            print(f"    {contract.trained_on}")
    return 0


def info(inputs: Sequence[str], as_json: bool) -> int:
    """Print what the inputs are."""
    from mp3fix.cli.info import describe

    code = 0
    for each in inputs:
        try:
            with _Source(each) as source:
                print(describe(source.path, each, as_json))
        except Mp3fixError as error:
            code = _fail(error)
    return code


def restore(request: Request) -> int:
    """Restore the inputs, one after the other. Returns the exit code."""
    console = Console(request.quiet, request.verbose)
    try:
        planned, contract = _plan(request)
        if request.seed is not None and contract.kind == "deterministic":
            console.warn(f"{contract.name} is deterministic: --seed changes nothing")
    except (UsageError, ValueError) as error:
        print(f"mp3fix: {error}", file=sys.stderr)
        return 2
    except Mp3fixError as error:
        return _fail(error)
    if request.dry_run:
        for job in planned:
            for path in job.outputs:
                print(f"{shown(job.source) if job.source else STDIO} -> {shown(path)}")
        return 0
    return _restore_all(request, planned, console)


def _plan(request: Request) -> tuple[list[Job], Any]:
    """The jobs and the generator's contract; all that can be refused without work is refused here."""
    from mp3fix.generator import catalog
    from mp3fix.generator.contract import read_contract

    if request.json and request.output == STDIO:
        raise UsageError("--json and -o - would both write to standard output")
    seconds(request.start)
    if request.duration is not None and seconds(request.duration) <= 0:
        raise UsageError("--duration 0 is nothing")
    suffix = output_suffix(request.output, request.form, request.bits)
    planned = jobs(request.inputs, request.output, suffix, seeds(request))
    contract = read_contract(catalog.find(request.model))
    if request.samples > 1:
        if contract.kind == "deterministic":
            raise UsageError(
                f"{contract.name} is deterministic: --samples {request.samples} would be the same song"
            )
        if request.texture == 0:
            raise UsageError(f"--texture 0 draws nothing: --samples {request.samples} would be the same song")
    if request.texture is not None and not contract.texture:
        raise UsageError(f"{contract.name} has no texture to set")
    if contract.domain == "magnitude" and request.phase == "complex":
        raise UsageError(
            f"{contract.name} gives magnitudes only; its phases can be found by --phase griffinlim"
        )
    if contract.domain == "waveform" and request.phase is not None:
        raise UsageError(f"{contract.name} gives samples, not spectra; --phase means nothing for it")
    return planned, contract


def seeds(request: Request) -> tuple[int, ...]:
    """The seeds of a request."""
    first = request.seed or 0
    return tuple(range(first, first + request.samples))


def _restore_all(request: Request, planned: list[Job], console: Console) -> int:
    from mp3fix.restore import Options, Restorer
    from mp3fix.song import Target, restore_song

    options = Options(
        seeds=seeds(request), texture=request.texture, mix=request.mix, phase=request.phase, rate=request.rate
    )
    target = Target(
        bits=request.bits or ("32f" if request.output == STDIO else "24"),
        gain_db=request.gain,
        start=seconds(request.start),
        duration=None if request.duration is None else seconds(request.duration),
        tags=request.tags,
        preserve_time=request.preserve_time,
        overwrite=request.force,
    )
    code = 0
    restorer = None
    for job, typed in zip(planned, request.inputs, strict=True):
        record: dict[str, Any] = {"input": typed, "outputs": [str(path) for path in job.outputs]}
        try:
            for path in job.outputs:
                if path.exists() and not request.force:
                    raise OutputExistsError(f"{shown(path)}: exists; --force overwrites it")
            with _Source(typed) as source:
                if restorer is None:
                    restorer = Restorer(request.model, request.device, request.threads)
                with console.progress(shown(Path(typed))) as progress:
                    result = restore_song(
                        source.path,
                        job.outputs or sys.stdout.buffer,
                        restorer,
                        options,
                        target,
                        progress,
                    )
            for warning in result.warnings:
                console.warn(f"{shown(Path(typed))}: {warning}")
            console.done(result, restorer.generator.device)
            record |= result.record()
        except Mp3fixError as error:
            code = _fail(error)
            record |= {"status": "failed", "error": str(error)}
        record |= {"seeds": list(options.seeds), "model": request.model}
        if request.json:
            print(json.dumps(record), flush=True)
    return code


class _Source:
    """An input as a file: standard input is spooled to a temporary one."""

    def __init__(self, typed: str) -> None:
        self._spooled = typed == STDIO
        self.path = Path(typed)

    def __enter__(self) -> "_Source":
        if self._spooled:
            from mp3fix.files.decode import spool_stdin

            self.path = spool_stdin(sys.stdin.buffer)
        return self

    def __exit__(self, *_: object) -> None:
        if self._spooled:
            self.path.unlink(missing_ok=True)


def _fail(error: Exception) -> int:
    print(f"mp3fix: {error}", file=sys.stderr)
    return 1
