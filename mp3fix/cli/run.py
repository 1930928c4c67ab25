"""What the program mp3fix does once its options are understood."""

import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mp3fix import __version__
from mp3fix.batch.plan import Job, Naming, jobs
from mp3fix.batch.sources import Found, find
from mp3fix.cli.console import Console, print_record
from mp3fix.cli.page import Asked, check_page
from mp3fix.cli.plot import picture_name
from mp3fix.cli.request import Request, check, recipe
from mp3fix.cli.values import output_suffix, seeds
from mp3fix.errors import Mp3fixError, UsageError
from mp3fix.files.names import system_reason

Record = dict[str, Any]  # a line of JSON
Work = Callable[[Job], tuple[Record, str]]  # gives what is printed of an input: for JSON, and for people
Complete = Callable[[Job, Record], Record]  # adds to a record what all have


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
            return _each(
                found, described, _describe, request.json, lambda job, record: {"input": job.typed} | record
            )
        else:
            return _restore(request, find(request.inputs or [], request.input_list, request.output))
    except Mp3fixError as error:
        return _fail(error, str(error))
    return 0


def _fail(error: Exception, text: str) -> int:
    print(f"mp3fix: {text}", file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


def _each(found: Found, planned: Sequence[Job], work: Work, as_json: bool, complete: Complete) -> int:
    """One input after the other; one that fails is reported and does not stop the others."""
    code = 0

    def tell(job: Job, record: Record, text: str) -> None:
        record = complete(job, record)
        if as_json:
            print_record(record)
        elif text:
            print(text)

    for typed, error in found.failures:
        print(f"mp3fix: {error}", file=sys.stderr)
        tell(Job(typed, ()), {"status": "failed", "error": error}, "")
        code = 1
    for job in planned:
        try:
            record, text = work(job)
        except (Mp3fixError, OSError) as error:
            reason = system_reason(error, job.name) if isinstance(error, OSError) else str(error)
            code = max(code, _fail(error, reason))
            record, text = {"status": "failed", "error": reason}, ""
        tell(job, record, text)
    return code


def _list_models(as_json: bool) -> None:
    from mp3fix.generator import catalog

    listed = catalog.list_models()
    if as_json:
        for name, path, contract in listed:
            fields = ("version", "kind", "domain", "licence", "trained_on")
            record = {field: getattr(contract, field) for field in fields}
            print_record({"name": name, **record, "path": str(path)})
        return
    heading = ""
    for name, _, contract in sorted(listed, key=lambda model: model[0].rpartition("/")[0]):
        folder, _, last = name.rpartition("/")
        if folder != heading:
            heading = folder
            print(f"\n{catalog.HEADINGS.get(folder, folder)}:\n")
        default = " (default)" if name == catalog.DEFAULT else ""
        print(f"{last}{default}  {contract.version}  {contract.kind}, {contract.domain}")
        # The corpus is the same list for most; --json and the cards have it.
        print(
            f"    {textwrap.shorten(f'{contract.licence}; {contract.trained_on}', 100, placeholder=' ...')}"
        )


def _describe(job: Job) -> tuple[Record, str]:
    from mp3fix.cli.info import as_text, facts
    from mp3fix.cli.stdin import as_file

    with as_file(job.typed) as path:
        found = facts(path)
    return {"status": "read"} | found, as_text(job.name, found)


def _restore(request: Request, found: Found) -> int:
    """Restore the inputs, or say what would become of them."""
    from mp3fix.batch import done
    from mp3fix.batch.summary import Summary
    from mp3fix.cli.planning import Planner, foreseer
    from mp3fix.cli.restoring import restore_many, restore_one, told
    from mp3fix.generator import catalog
    from mp3fix.generator.contract import read_contract

    console = Console(request.quiet, request.verbose)
    suffix = output_suffix(request.output, request.form, request.bits)
    naming = Naming(suffix, seeds(request.seed, request.samples), Path(request.model).stem, request.name)
    copies = request.below is not None and request.others == "copy"
    planned = jobs(found, request.output, naming, copies, picture_name(request.plot))
    path = catalog.find(request.model)
    contract = read_contract(path)
    check(request, contract, suffix)
    if request.seed is not None and contract.kind == "deterministic":
        console.warn(f"{contract.name} is deterministic: --seed changes nothing")
    many = found.library or len(planned) + len(found.failures) > 1
    many = many or (request.scheduler is not None and not planned[0].piped)  # only this process has its pipes
    asked = None
    if request.page is not None:
        check_page(request, planned, many)
        asked = Asked(
            Path(request.page),
            request.page_seconds,
            f"{contract.name} {contract.version}",
            contract.kind == "stochastic",
            request.force,
        )
    planner = Planner(request, contract, recipe(request, contract, done.digest(path), suffix), many)
    if request.dry_run:
        summary = Summary()

        def complete(job: Job, record: Record) -> Record:
            summary.add(record)
            return told(job, planner.how, record)

        code = _each(found, planned, foreseer(planner, asked), request.json, complete)
        if many:
            console.note(summary.plan())
        return code
    if many:
        return restore_many(planned, found.failures, planner, request, console)
    return restore_one(planned[0], planner, console, request.json, asked)
