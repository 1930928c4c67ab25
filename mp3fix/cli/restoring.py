"""What the program mp3fix does with the songs that it is to restore: one, or many."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from mp3fix.batch import cluster, pool
from mp3fix.batch.disks import Disks
from mp3fix.batch.folders import Folders
from mp3fix.batch.plan import Job
from mp3fix.batch.work import DONE, How, Record, Task, attempt, drawn, failure, refusal
from mp3fix.cli import page
from mp3fix.cli.console import Console, print_record
from mp3fix.cli.planning import Planner
from mp3fix.cli.request import Request
from mp3fix.cli.stdin import as_file
from mp3fix.errors import DecodeError, EncodeError, Mp3fixError, OutputExistsError
from mp3fix.files.names import system_reason
from mp3fix.generator.devices import available_cores, has_gpu
from mp3fix.restore import Restorer
from mp3fix.song import restore_song

GPU_JOBS = 4  # processes that share a GPU: not measured


def restore_one(
    job: Job, planner: Planner, console: Console, as_json: bool, asked: page.Asked | None = None
) -> int:
    """Restore one song in this process, and make a page of it if one is asked for. Returns the exit code.

    Raises:
        Mp3fixError: the generator cannot be loaded.
    """
    with Folders() as folders:
        try:
            if asked is not None:
                folders.make_for(asked.path)
            restore = _through_pipes if job.piped else _from_file
            record = restore(job, planner, folders, console, asked)
        except (EncodeError, DecodeError) as error:
            record = failure(str(error))
        except OSError as error:
            record = failure(system_reason(error, job.name))
    record = told(job, planner.how, record)
    console.ended(job.name, record)
    if said := page.told(record):
        console.note(said)
    if as_json:
        print_record(record)
    return int(record["status"] == "failed" or bool({"picture_error", "page_error"} & record.keys()))


def _from_file(
    job: Job, planner: Planner, folders: Folders, console: Console, asked: page.Asked | None
) -> Record:
    """Restore from a file to files."""
    task = planner.task(job)
    there = task is None or task.restored
    record = DONE
    if task is not None:
        if task.picture is not None and not there:
            folders.make_for(Path(task.picture.path))
        restorer = None if there else Restorer(*task.how.loads)
        folders.make(job.folder)
        with console.progress(Path(job.name).name) as progress:
            record = attempt(task, restorer, progress)
    return page.with_page(record, asked, Path(job.typed), job, planner.how, there)


def _through_pipes(
    job: Job, planner: Planner, folders: Folders, console: Console, asked: page.Asked | None
) -> Record:
    """Restore from standard input, or to standard output."""
    how, sketch, found = planner.how, planner.sketch(job), planner.foreseen(job)
    if found.action == "refuse":
        raise OutputExistsError(found.reason)
    if sketch is not None:
        folders.make_for(Path(sketch.path))
    restorer = Restorer(*how.loads)
    with as_file(job.typed) as path:
        folders.make(job.folder)
        with console.progress(Path(job.name).name) as progress:
            out = job.outputs or sys.stdout.buffer
            write = partial(restore_song, path, out, restorer, how.options, how.target, progress)
            result = folders.fill([job.folder], write)
            record = {**result.record(), "device": restorer.generator.device}
            if sketch is not None:
                record = drawn(record, sketch, path, job.outputs, how, name=job.name)
            return page.with_page(record, asked, path, job, how)


def restore_many(
    jobs: Sequence[Job],
    failures: Sequence[tuple[str, str]],
    planner: Planner,
    request: Request,
    console: Console,
) -> int:
    """Restore many songs, several at a time, or on a cluster. Returns the exit code.

    Args:
        jobs: one a song.
        failures: what was named but is not there, with the reasons.
        planner: for them.
        request: the options.
        console: for people.

    Raises:
        Mp3fixError: none of them can be restored: no folder, no generator, no cluster.
    """
    with ExitStack() as stack:
        folders = stack.enter_context(Folders())
        if len(jobs) > 1 and jobs[0].folder is not None:  # first, so that it is told once, not for each song
            folders.make(Path(request.output or ""))
        overall = stack.enter_context(console.overall(len(jobs) + len(failures), request.json))
        disks = Disks()
        by_outputs = {tuple(map(str, job.outputs)): job for job in jobs}  # an input may be there twice

        def end(job: Job, record: Record, silent: bool = False) -> None:
            disks.ended(job, record)
            record = told(job, planner.how, record)
            overall.ended(job.name, record, silent)
            if request.json:
                print_record(record)

        def tasks() -> Iterator[Task]:
            for job in jobs:
                try:
                    task = planner.task(job)
                    if task is not None and disks.given_up(job):
                        end(job, failure(f"{job.name}: not begun: its disk took no others"), silent=True)
                        continue
                    if task is not None:
                        # The picture of one song may be named, and go into a folder of its own.
                        if len(jobs) == 1 and task.picture is not None and not task.restored:
                            folders.make_for(Path(task.picture.path))
                        folders.make(job.folder)
                except Mp3fixError as error:
                    end(job, failure(str(error)) | refusal(error))
                    continue
                if task is None:
                    end(job, DONE)
                else:
                    yield replace(task, how=replace(task.how, threads=threads))

        def ended(task: Task, record: Record) -> None:
            end(by_outputs[task.outputs], record)

        def moved(task: Task, at: float, total: float | None) -> None:
            overall.moved(task.name, at, total)

        for typed, reason in failures:
            end(Job(typed, ()), failure(reason))
        if request.scheduler is not None:
            threads = request.threads or 1
            waiting = partial(console.note, "no worker yet; waiting")
            cluster.run(tasks(), request.scheduler, ended, waiting)
        else:
            at_a_time, threads = _split(request, len(jobs))
            pool.run(tasks(), at_a_time, moved, ended)  # one at a time too: a song may crash its process
        for line in disks.lines():
            console.error(line)
    return int(overall.summary.failed + overall.summary.undrawn > 0)


def _split(request: Request, songs: int) -> tuple[int, int]:
    """How many songs at a time, and CPU threads for the network of each."""
    cores = available_cores()
    fitting = max(1, cores // (request.threads or 1))
    if request.device != "cpu" and (request.device != "auto" or has_gpu()):
        fitting = min(GPU_JOBS, cores)
    jobs = max(1, min(request.jobs or fitting, songs))
    return jobs, request.threads or max(1, cores // jobs)


def told(job: Job, how: How, record: Record) -> Record:
    """The record of a song as --json prints it, planned or done."""
    about: Record = {"input": job.typed, "outputs": [str(path) for path in job.outputs]}
    if job.picture is not None:
        about["picture"] = str(job.picture)
    return {**about, "seeds": list(how.options.seeds), "model": how.model, **record}
