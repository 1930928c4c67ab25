"""What the program mp3fix will do with each song, and saying so (--dry-run)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mp3fix.batch import done, pictures
from mp3fix.batch.plan import Job
from mp3fix.batch.sources import STDIO
from mp3fix.batch.verdict import Rules, Verdict, after_a_look, at_once, with_picture
from mp3fix.batch.work import How, Record, Task
from mp3fix.cli import page
from mp3fix.cli.request import Request
from mp3fix.cli.values import seconds, seeds
from mp3fix.errors import EncodeError, OutputExistsError
from mp3fix.files.flacfile import MAX_CHANNELS
from mp3fix.files.names import shown
from mp3fix.files.probe import probe
from mp3fix.generator.contract import Contract
from mp3fix.restore import Options
from mp3fix.song import Target


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
