"""What the program mp3fix does with the songs that it is to restore: one, or many."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from mp3fix.batch import cluster, done, pictures, pool
from mp3fix.batch.disks import Disks
from mp3fix.batch.folders import Folders
from mp3fix.batch.plan import Job
from mp3fix.batch.sources import STDIO
from mp3fix.batch.verdict import Rules, Verdict, after_a_look, at_once, with_picture
from mp3fix.batch.work import DONE, How, Record, Task, attempt, drawn, failure, refusal
from mp3fix.cli import page
from mp3fix.cli.console import Console, print_record
from mp3fix.cli.request import Request
from mp3fix.cli.stdin import as_file
from mp3fix.cli.values import seconds, seeds
from mp3fix.errors import DecodeError, EncodeError, Mp3fixError, OutputExistsError
from mp3fix.files.flacfile import MAX_CHANNELS
from mp3fix.files.names import shown, system_reason
from mp3fix.files.probe import probe
from mp3fix.generator.contract import Contract
from mp3fix.generator.devices import available_cores, has_gpu
from mp3fix.restore import Options, Restorer
from mp3fix.song import Target, restore_song

GPU_JOBS = 4  # processes that share a GPU: not measured


class Planner:
    """From jobs to tasks: what is done is skipped, and what is in the way is not touched.

    Args:
        request: the options.
        contract: the generator's.
        recipe: how outputs are made, for their fingerprints.
        library: whether there are many songs, so that outputs that mp3fix made in another way are made anew.
    """

    def __init__(self, request: Request, contract: Contract, recipe: done.Recipe, library: bool) -> None:
        self._recipe, self._contract = recipe, contract
        self._view = request.plot_scale, request.plot_channels
        self._rules = Rules(request.force, library, request.below)
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
        self.how = How(request.model, request.device, request.threads, request.fast, options, target)

    def task(self, job: Job) -> Task | None:
        """What is to be done for a job with files; None if it is done already.

        Raises:
            OutputExistsError: there is something at an output's place that must stay.
            EncodeError: an output's name is too long.
        """
        found, prints = self._verdict(job)
        if found is not None and found.action == "skip":
            return None
        if found is not None and found.action == "refuse":
            raise OutputExistsError(found.reason)
        target = replace(self.how.target, jobs=prints, overwrite=found is not None and found.overwrite)
        task = Task(
            job.typed,
            tuple(map(str, job.outputs)),
            replace(self.how, target=target),
            picture=self.sketch(job, prints, found),
            restored=found is not None and found.action == "draw",
        )
        if found is not None:
            return task
        return replace(task, copy=None if job.copy is None else str(job.copy), rules=self._rules)

    def foreseen(self, job: Job) -> Verdict:
        """What will be done for a job, after a look into its file where that is needed.

        Raises:
            DecodeError: the input is missing, or is no music.
            EncodeError: an output's name is too long.
        """
        if job.typed == STDIO:
            return self._with_picture(Verdict("restore"), job, ())
        found, prints = self._verdict(job)
        if found is not None:
            return found
        found = after_a_look(Path(job.typed), job.outputs, job.copy, prints, self._rules)
        return self._with_picture(found, job, prints)

    def sketch(
        self, job: Job, prints: Sequence[str] = (), found: Verdict | None = None
    ) -> pictures.Sketch | None:
        """The picture of a job; None for none.

        Args:
            job: the input.
            prints: fingerprints of its outputs.
            found: the verdict; None before a look into the input, or for standard input.
        """
        if job.picture is None:
            return None
        mark = pictures.mark(prints, *self._view)
        if (
            found is None
        ):  # whether mp3fix may replace what is there cannot be told later: another may have drawn it
            kept = pictures.state(job.picture, job.outputs, mark)
            found = with_picture(Verdict("restore"), job.picture, kept, self._rules)
        return pictures.Sketch(
            str(job.picture),
            *self._view,
            f"{self._contract.name} {self._contract.version}",
            self._contract.kind == "stochastic",
            mark,
            found.overdraw,
        )

    def _with_picture(self, found: Verdict, job: Job, prints: Sequence[str]) -> Verdict:
        if job.picture is None:
            return found
        kept = pictures.state(job.picture, job.outputs, pictures.mark(prints, *self._view))
        return with_picture(found, job.picture, kept, self._rules)

    def _verdict(self, job: Job) -> tuple[Verdict | None, tuple[str, ...]]:
        job.check_lengths()
        source = Path(job.typed)
        identity = done.identity(source)
        prints = tuple(done.fingerprint(self._recipe, seed, identity) for seed in self.how.options.seeds)
        found = at_once(source, job.outputs, prints if job.outputs else (), self._rules)
        return found and self._with_picture(found, job, prints), prints


def foreseer(planner: Planner, asked: page.Asked | None = None) -> Callable[[Job], tuple[Record, str]]:
    """The work of --dry-run: gives of a job the record and a text for people.

    It raises what the work itself would raise for certain.

    Args:
        planner: for the jobs.
        asked: the page of the one song there is; None for none.
    """

    def foresee(job: Job) -> tuple[Record, str]:
        found = planner.foreseen(job)
        if found.action == "refuse":
            raise OutputExistsError(found.reason)
        if found.action == "restore" and job.typed != STDIO:
            _check_channels(job)
        copied = found.copied or found.action == "copy"
        outputs = () if found.action == "leave" else (job.copy,) if copied else job.outputs
        picture = None if found.action == "leave" or copied else job.picture
        written = (picture,) if found.action == "draw" else (*outputs, picture)
        names = [shown(path) for path in written if path] or ["standard output"]
        why = {"leave": "left as it is, ", "copy": "copied, "}.get(found.action, "") + found.reason
        text = "\n".join(f"{job.name} -> {name}" + (f" ({why})" if why else "") for name in names)
        if found.action == "leave":
            text = f"{job.name}: {why}"
        statuses = {
            "restore": "planned",
            "draw": "drawn",
            "skip": "skipped",
            "copy": "copied",
            "leave": "left",
        }
        record: Record = {
            "status": statuses[found.action],
            "outputs": [str(path) for path in outputs if path],
        }
        if job.picture is not None and picture is None:
            record["picture"] = None
        if asked is not None:
            made = found.action != "leave" and not copied
            record["page"] = str(asked.path) if made else None
            text += f"\n{job.name} -> {shown(asked.path)}" if made else ""
        return record | ({"reason": found.reason} if found.reason else {}), text

    return foresee


def _check_channels(job: Job) -> None:
    channels = probe(Path(job.typed)).channels
    if channels > MAX_CHANNELS and any(output.suffix.lower() == ".flac" for output in job.outputs):
        raise EncodeError(
            f"{job.name}: FLAC holds at most {MAX_CHANNELS} channels, not {channels}; write WAV"
        )


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
