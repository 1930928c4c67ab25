"""The plan of an evaluation, and its processes."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mp3fix.evaluation.cache import Cache
from mp3fix.evaluation.excerpts import LOW, QUICK, SETTINGS, Excerpt
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.work import Job, Unit, missing, work
from mp3fix.generator.devices import available_cores

MP3 = "MP3"
CURVE = (0.0, 0.25, 0.5, 0.75, 1.0)  # textures

Report = Callable[[int, int, str], None]  # jobs done, of how many, what was done last


@dataclass(frozen=True)
class Score:
    """The measures of one piece at one setting by one system; `category` is the piece's, "" where nobody says."""

    piece: str
    cutoff: float
    setting: str
    system: str
    values: dict[str, float]
    category: str = ""


@dataclass(frozen=True)
class Drawn:
    """The draws of one piece at one setting by one generator: see draws.draws."""

    piece: str
    setting: str
    model: str
    values: dict[str, Any]


def plan(
    excerpts: Sequence[Excerpt], models: Sequence[Model], quick: bool = False, peaq: Path | None = None
) -> list[Job]:
    """The jobs of an evaluation, those of one setting together; the quick form has fewer settings and no draws."""
    jobs = []
    for setting in QUICK if quick else SETTINGS:
        low = setting in LOW and not quick
        systems: list[tuple[Model | None, float | None]] = [(None, None)]
        drawn = []
        for model in models:
            systems += [(model, texture) for texture in textures(model, low)]
            if low and model.drawn:
                drawn.append(Unit("draws", model, model.default_texture))
        units = [Unit("scores", *system) for system in systems]
        if peaq is not None:
            units += [Unit("peaq", *system, peaq) for system in systems]
        if low:
            units += [
                Unit("scores", model, model.default_texture, bare=True) for model in models if model.told
            ]
        jobs += [Job(excerpt, setting, (*units, *drawn)) for excerpt in excerpts]
    return jobs


def textures(model: Model, low: bool = False) -> list[float | None]:
    """What a generator is scored at: 0 and its default; at low bitrates the whole curve."""
    if model.default_texture is None:
        return [None]
    return sorted({0.0, model.default_texture, *(CURVE if low else ())})


def run(jobs: Sequence[Job], folder: Path, report: Report, workers: int | None = None) -> None:
    """Do all jobs whose results are not in the folder.

    Args:
        jobs: of a plan.
        folder: of the cache.
        report: told of every job done; those that were done before count at once.
        workers: processes; 1: none beside this one. Default: one for each core.

    Raises:
        Mp3fixError: as the generators and the PEAQ program do. What was done is kept.
    """
    left = [job for job in jobs if missing(job, folder)]
    done, total = len(jobs) - len(left), len(jobs)
    report(done, total, "")
    workers = min(workers or available_cores(), len(left))
    if workers <= 1:
        for number, job in enumerate(left, done + 1):
            work(job, folder)
            report(number, total, _name(job))
        return
    # Read when NumPy's and numba's libraries are loaded, so they must be there before a worker starts.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    context = multiprocessing.get_context("spawn")
    # Jobs hold music: sent one by one, they fill the pipe of workers that are gone, and Python 3.11.2 then waits
    # for ever. So each worker gets all of them at its start, and after that numbers.
    with ProcessPoolExecutor(workers, context, _start, (left, folder)) as pool:
        futures = {pool.submit(_work, number): job for number, job in enumerate(left)}
        try:
            for number, future in enumerate(as_completed(futures), done + 1):
                future.result()
                report(number, total, _name(futures[future]))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


_given: list[tuple[Job, Path]] = []  # of a worker: what its numbers mean


def _start(jobs: Sequence[Job], folder: Path) -> None:
    # Ctrl-C goes to every process; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _given.extend((job, folder) for job in jobs)


def _work(number: int) -> None:
    work(*_given[number])


def _name(job: Job) -> str:
    return f"{job.setting}  {job.excerpt.piece}"


def gather(jobs: Sequence[Job], folder: Path) -> tuple[list[Score], list[Drawn]]:
    """The results of jobs that are done."""
    cache = Cache(folder)
    scores: dict[tuple[str, str, str], Score] = {}
    drawn = []
    for job in jobs:
        for unit in job.units:
            values = cache.get(job.key(unit))
            if values is None:
                continue
            if unit.kind == "draws" and unit.model is not None:
                drawn.append(Drawn(job.excerpt.piece, job.setting, unit.model.label, values))
                continue
            system = unit.model.system(unit.texture, unit.phase) if unit.model else MP3
            if unit.bare and unit.model:
                system = unit.model.bare
            score = Score(
                job.excerpt.piece, job.excerpt.cutoff, job.setting, system, {}, job.excerpt.category
            )
            scores.setdefault((score.piece, score.setting, system), score).values.update(values)
    return list(scores.values()), drawn
