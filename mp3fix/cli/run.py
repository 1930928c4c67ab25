"""What the program mp3fix does once its options are understood."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mp3fix import __version__
from mp3fix.batch.plan import Job, Naming, jobs
from mp3fix.batch.sources import STDIO, Found, find
from mp3fix.cli.console import Console
from mp3fix.cli.request import Request, check
from mp3fix.cli.values import output_suffix, seconds, seeds
from mp3fix.errors import DecodeError, EncodeError, Mp3fixError, OutputExistsError, UsageError
from mp3fix.files.names import shown

Record = dict[str, Any]  # a line of JSON
Work = Callable[[Job], tuple[Record, str]]  # gives what is printed of an input: for JSON, and for people


def perform(request: Request) -> int:
    """Do what was asked for. Returns the exit code: 0 all done, 1 something failed, 2 wrong usage."""
    try:
        if request.version:
            print(f"mp3fix {__version__}")
        elif request.list_models:
            _list_models(request.json)
        elif not request.inputs and request.input_list is None:
            raise UsageError("name at least one input; see mp3fix --help")
        elif request.info:
            found = find(request.inputs or [], request.input_list, own=True)
            described = [Job(source.typed, ()) for source in found.sources]
            return _each(found, described, _describe, request.json)
        else:
            return _restore(request, find(request.inputs or [], request.input_list, request.output))
    except Mp3fixError as error:
        return _fail(error, str(error))
    return 0


def _fail(error: Exception, text: str) -> int:
    print(f"mp3fix: {text}", file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


def _each(found: Found, planned: Sequence[Job], work: Work, as_json: bool) -> int:
    """One input after the other; one that fails is reported and does not stop the others."""
    code = 0
    for typed, reason in found.failures:
        code = _fail(DecodeError(reason), reason)
        if as_json:
            print(json.dumps({"input": typed, "status": "failed", "error": reason}), flush=True)
    for job in planned:
        try:
            record, text = work(job)
        except (Mp3fixError, OSError) as error:
            reason = _reason(error, job) if isinstance(error, OSError) else str(error)
            code = max(code, _fail(error, reason))
            record, text = {"status": "failed", "error": reason}, ""
        if as_json:
            print(json.dumps({"input": job.typed} | record), flush=True)
        elif text:
            print(text)
    return code


def _reason(error: OSError, job: Job) -> str:
    """An error of the system that nobody foresaw, in one line."""
    name = job.name if error.filename is None else shown(Path(os.fsdecode(error.filename)))
    return f"{name}: {error.strerror or error}"


def _list_models(as_json: bool) -> None:
    from mp3fix.generator import catalog

    for name, path, contract in catalog.list_models():
        if as_json:
            fields = ("version", "kind", "domain", "licence", "trained_on")
            record = {field: getattr(contract, field) for field in fields}
            print(json.dumps({"name": name, **record, "path": str(path)}))
        else:
            default = " (default)" if name == catalog.DEFAULT else ""
            print(f"{name}{default}  {contract.version}  {contract.kind}, {contract.domain}")
            print(f"    {contract.licence}; {contract.trained_on}")


def _describe(job: Job) -> tuple[Record, str]:
    from mp3fix.cli.info import as_text, facts

    with _source(job.typed) as path:
        found = facts(path)
    return {"status": "read"} | found, as_text(job.name, found)


def _restore(request: Request, found: Found) -> int:
    """Restore the inputs, or say what would become of them."""
    from mp3fix.generator import catalog
    from mp3fix.generator.contract import read_contract

    console = Console(request.quiet, request.verbose)
    suffix = output_suffix(request.output, request.form, request.bits)
    naming = Naming(suffix, seeds(request.seed, request.samples), Path(request.model).stem, request.name)
    copies = request.below is not None and request.others == "copy"
    planned = jobs(found, request.output, naming, copies)
    contract = read_contract(catalog.find(request.model))
    check(request, contract, suffix)
    if request.seed is not None and contract.kind == "deterministic":
        console.warn(f"{contract.name} is deterministic: --seed changes nothing")
    work = _foreseer(request) if request.dry_run else _worker(request, console)
    return _each(found, planned, work, request.json)


def _foreseer(request: Request) -> Work:
    """The work of --dry-run."""

    def foresee(job: Job) -> tuple[Record, str]:
        if job.typed != STDIO:
            _check_input(Path(job.typed), job, request.force)
        outputs = [shown(path) for path in job.outputs] or ["standard output"]
        text = "\n".join(f"{job.name} -> {output}" for output in outputs)
        return {"status": "planned", "outputs": [str(path) for path in job.outputs]}, text

    return foresee


def _worker(request: Request, console: Console) -> Work:
    """The work itself. Loads the generator."""
    from mp3fix.restore import Options, Restorer
    from mp3fix.song import Target, restore_song

    stream = request.output == STDIO
    options = Options(
        seeds=seeds(request.seed, request.samples),
        texture=request.texture,
        mix=request.mix,
        phase=request.phase,
        rate=request.rate,
        # Who listens wants to hear something soon. The result is the same.
        chunk_seconds=2.0 if stream else Options.chunk_seconds,
    )
    target = Target(
        bits=request.bits or ("32f" if stream else "24"),
        gain_db=request.gain,
        start=seconds(request.start),
        duration=None if request.duration is None else seconds(request.duration),
        tags=not request.no_tags,
        preserve_time=request.preserve_time,
        overwrite=request.force,
    )
    restorer = Restorer(request.model, request.device, request.threads, request.fast)

    def restore(job: Job) -> tuple[Record, str]:
        with _source(job.typed) as path, _folder(job.folder):
            _check_input(path, job, request.force)
            with console.progress(Path(job.name).name) as progress:
                out = job.outputs or sys.stdout.buffer
                result = restore_song(path, out, restorer, options, target, progress)
        for warning in result.warnings:
            console.warn(f"{job.name}: {warning}")
        console.done(result, restorer.generator.device)
        drawn = {"outputs": [str(path) for path in job.outputs], "seeds": list(options.seeds)}
        return {**result.record(), **drawn, "model": request.model}, ""

    return restore


def _check_input(path: Path, job: Job, force: bool) -> None:
    """Refuse, before any work, what cannot end well."""
    from mp3fix.files.flacfile import MAX_CHANNELS
    from mp3fix.files.probe import probe

    for output in job.outputs:
        if os.path.lexists(output) and not force:
            raise OutputExistsError(f"{shown(output)} exists; --force overwrites it")
    channels = probe(path).channels
    if channels > MAX_CHANNELS and any(output.suffix.lower() == ".flac" for output in job.outputs):
        raise UsageError(
            f"{job.name}: FLAC holds at most {MAX_CHANNELS} channels, not {channels}; WAV can (--format wav)"
        )


@contextmanager
def _source(typed: str) -> Iterator[Path]:
    """An input as a file: standard input is spooled to a temporary one."""
    if typed != STDIO:
        yield Path(typed)
        return
    from mp3fix.files import temporary
    from mp3fix.files.decode import spool_stdin

    if sys.stdin is None:
        raise DecodeError("standard input is closed")
    path = spool_stdin(sys.stdin.buffer)
    try:
        yield path
    except Mp3fixError as error:
        raise type(error)(str(error).replace(shown(path), "standard input")) from error
    finally:
        temporary.remove(path)


@contextmanager
def _folder(folder: Path | None) -> Iterator[None]:
    """Make the outputs' folder where there is none, and remove it again when nothing could be put in it."""
    made = [each for each in (folder, *folder.parents) if not os.path.lexists(each)] if folder else []
    try:
        if folder:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = error.strerror or error
                raise EncodeError(f"{shown(folder)}: this folder cannot be made: {reason}") from error
        yield
    except BaseException:
        for each in made:
            with suppress(OSError):
                each.rmdir()
        raise
