"""Fuzzing: mutants of the torture set through probe, tags and decode, and mutants of generators through the loader.

    python tests/torture/fuzz.py --mutants 10000 --seed 1

Child processes do the work and name each mutant before they touch it, so that a crash of native code, a hang or a
flood of memory is laid to the mutant that caused it. Anything but an Mp3fixError is a finding. Mutants that led to
one are kept; the same seed makes the same mutants.
"""

import argparse
import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "torture")]

import memory  # noqa: E402
import numpy as np  # noqa: E402

LIMIT_S = 25.0
MOST_BYTES = 10**9
MOST_FRAMES = 20_000_000  # of one mutant: a header may well claim hours of silence
LARGEST_BASE = 300_000  # bytes: large files only make mutants slow
FFMPEG_SHARE = 4  # one mutant in four is decoded by ffmpeg, which costs a process
NUMBERS = [
    bytes(4),
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\1",
    b"\1\0\0\0",
    b"\xff\xfb",
    b"\xff",
    b"\0",
]


def mutant(bases: list[bytes], seed: int, number: int) -> bytes:
    """One of the bases, changed in one to eight places."""
    random = np.random.default_rng((seed, number))
    data = bytearray(bases[random.integers(len(bases))])
    for _ in range(random.integers(1, 9)):
        size = max(1, len(data))
        # Headers are at the start and decide most.
        at = int(random.integers(size if random.random() < 0.5 else min(size, 200)))
        length = int(2 ** random.uniform(0, 12))
        what = random.integers(8)
        if what == 0 and data:
            data[at] ^= 1 << int(random.integers(8))
        elif what == 1:
            data[at : at + length] = random.bytes(length)
        elif what == 2:
            data[at : at + length] = b""
        elif what == 3:
            data[at:at] = random.bytes(length)
        elif what == 4:
            data[at:at] = data[at : at + length]
        elif what == 5:
            value = NUMBERS[random.integers(len(NUMBERS))]
            data[at : at + len(value)] = value
        elif what == 6:
            other = bases[random.integers(len(bases))]
            begin = int(random.integers(max(1, len(other))))
            data[at : at + length] = other[begin : begin + length]
        elif random.random() < 0.3:
            del data[at:]
    return bytes(data)


# In a child


def files(folder: Path) -> Callable[[bytes, int], str]:
    """Decodes a mutant of the torture set."""
    from mp3fix.errors import Mp3fixError
    from mp3fix.files import ffmpeg, tags
    from mp3fix.files.decode import open_decoder
    from mp3fix.files.probe import probe

    find, path = ffmpeg.find, folder / "mutant.mp3"
    there = find() is not None

    def check(data: bytes, number: int) -> str:
        path.write_bytes(data)
        by_ffmpeg = there and number % FFMPEG_SHARE == 0
        ffmpeg.find = find if by_ffmpeg else lambda: None
        try:
            tags.read(path)
            probe(path)
            frames = 0
            with open_decoder(path) as decoder:
                for block in decoder.blocks():
                    assert block.dtype == np.float32 and np.isfinite(block).all()
                    assert block.shape[0] == decoder.channels
                    frames += block.shape[1]
                    if frames > MOST_FRAMES:
                        break
            outcome = "decoded with a warning" if decoder.warnings else "decoded"
        except Mp3fixError as error:
            assert len(str(error).splitlines()) <= 3 and str(path) in str(error)
            outcome = "refused"
        return f"{outcome} ({'ffmpeg' if by_ffmpeg else 'libsndfile'})"

    return check


def mutant_of(what: str, made: list[bytes], seed: int, number: int) -> bytes:
    """As `mutant`; of generators every second one is changed in its graph instead of in its bytes."""
    if what == "models" and number % 2:
        import graphs

        random = np.random.default_rng((seed, number))
        return graphs.changed(made[random.integers(len(made))], random)
    return mutant(made, seed, number)


def ones(dims: tuple[int | None, ...]) -> np.ndarray:
    """An input of one song and sixteen frames."""
    return np.ones(
        [(16 if axis else 1) if size is None else size for axis, size in enumerate(dims)], np.float32
    )


def models(folder: Path) -> Callable[[bytes, int], str]:
    """Loads a mutant of a generator, and runs it where that worked."""
    from mp3fix.errors import ModelError
    from mp3fix.generator.contract import read_contract
    from mp3fix.generator.session import Generator

    path = folder / "mutant.onnx"

    def check(data: bytes, number: int) -> str:
        path.write_bytes(data)
        outcome = "contract refused"
        try:
            read_contract(path)
            outcome = "graph refused"
            generator = Generator.load(path, "cpu", 1)
            outcome = "loaded, but fails"
            taken = generator.contract.inputs.items()
            generator.run(**{name: ones(dims) for name, dims in taken if name != "texture"})
            return "loaded and run"
        except ModelError as error:
            assert str(path) in str(error) and len(str(error).splitlines()) <= 3
            return outcome

    return check


def bases(what: str, folder: Path) -> list[bytes]:
    """What the mutants are made of."""
    if what == "models":
        import networks
        from pipeline import KINDS as NETWORKS

        return [networks.save(folder / "base.onnx", **takes).read_bytes() for takes in NETWORKS.values()]
    import damage
    import others
    import streams
    import tags_around
    from kinds import KINDS

    del damage, others, streams, tags_around
    # Of the many that were cut, two will do.
    names = [name for name in KINDS if " parts" not in name or name.startswith(("7 ", "30 "))]
    made = (KINDS[name]().data for name in names)
    return [data for data in made if 0 < len(data) <= LARGEST_BASE]


def most_memory() -> int:
    """Bytes that this process, or a child of it, has had at most."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(memory.peak(), children * (1 if sys.platform == "darwin" else 1024))


def child(what: str, seed: int, numbers: range, folder: Path) -> None:
    """Does these mutants; says on standard output what it is at and what became of it."""
    made = bases(what, folder)
    check = (files if what == "files" else models)(folder)
    for number in numbers:
        print(json.dumps({"at": number}), flush=True)
        try:
            said = {"outcome": check(mutant_of(what, made, seed, number), number)}
        except Exception:
            said = {"finding": traceback.format_exc(limit=-4)}
        memory = most_memory()
        if memory > MOST_BYTES:
            said = {"finding": f"{memory / 1e6:.0f} MB of memory"}
        print(json.dumps(said | {"memory": memory}), flush=True)
        if memory > MOST_BYTES:  # it will not go down again
            return


# Around the children


@dataclass
class Report:
    """What was found.

    Attributes:
        outcomes: how many mutants had which.
        findings: number of a mutant -> what it did.
        most_bytes: of memory.
        slowest: seconds of one mutant.
        left: files that were left behind.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[int, str] = field(default_factory=dict)
    most_bytes: int = 0
    slowest: float = 0.0
    left: list[str] = field(default_factory=list)


def fuzz(what: str, mutants: int, seed: int, jobs: int) -> Report:
    """Runs this many mutants of "files" or "models"."""
    report, lock = Report(), threading.Lock()
    threads = [
        threading.Thread(
            target=_supervise,
            args=(what, seed, range(mutants * job // jobs, mutants * (job + 1) // jobs), report, lock),
        )
        for job in range(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report


def _supervise(what: str, seed: int, numbers: range, report: Report, lock: threading.Lock) -> None:
    """Runs children until all the numbers are done."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder, spool = Path(name, "own"), Path(name, "spool")
        folder.mkdir()
        spool.mkdir()
        while numbers:
            done = _run_child(what, seed, numbers, folder, spool, report, lock)
            numbers = numbers[done:]
        with lock:
            report.left += os.listdir(spool)


def _run_child(
    what: str, seed: int, numbers: range, folder: Path, spool: Path, report: Report, lock: threading.Lock
) -> int:
    """One child; returns how many of the numbers are done with."""
    command = [sys.executable, __file__, "--child", what, "--seed", str(seed), "--folder", str(folder)]
    command += [str(part) for part in ("--numbers", numbers.start, numbers.stop, numbers.step)]
    environment = os.environ | {"TMPDIR": str(spool)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    lines: queue.Queue[bytes] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    done, at, began, limit = (
        0,
        -1,
        time.monotonic(),
        10 * LIMIT_S,
    )  # the first answer takes the making of bases
    hung = False
    while True:
        try:
            line = lines.get(timeout=limit)
        except queue.Empty:
            hung = True
            process.kill()
            break
        if not line:
            break
        said = json.loads(line)
        if "at" in said:
            at, began, limit = said["at"], time.monotonic(), LIMIT_S
            continue
        done += 1
        with lock:
            report.most_bytes = max(report.most_bytes, said["memory"])
            report.slowest = max(report.slowest, time.monotonic() - began)
            if "finding" in said:
                report.findings[at] = said["finding"]
            else:
                report.outcomes[said["outcome"]] += 1
        at = -1
    code = process.wait()
    if at >= 0 or (code and not hung) or (hung and at < 0):
        number = at if at >= 0 else numbers[min(done, len(numbers) - 1)]
        with lock:
            report.findings[number] = f"hang: more than {limit:g} s" if hung else f"crash: exit code {code}"
        done += 1
    return done


def _read(process: "subprocess.Popen[bytes]", lines: "queue.Queue[bytes]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(b"")


def main() -> int:
    """Fuzzes files and models, and tells what came of it. Returns the exit code: 1 where there are findings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=10_000, help="of files, and as many of generators")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, default=Path("work/fuzz"), help="where mutants with findings go")
    parser.add_argument("--child", choices=["files", "models"], help=argparse.SUPPRESS)
    parser.add_argument("--numbers", type=int, nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.seed, range(*given.numbers), given.folder)
        return 0
    failed = False
    for what in ("files", "models"):
        began = time.monotonic()
        report = fuzz(what, given.mutants, given.seed, given.jobs)
        failed = failed or bool(report.findings or report.left)
        print(f"{given.mutants} mutants of {what}, seed {given.seed}: {time.monotonic() - began:.0f} s")
        for outcome, count in sorted(report.outcomes.items()):
            print(f"    {outcome}: {count}")
        print(f"    slowest {report.slowest:.1f} s, memory at most {report.most_bytes / 1e6:.0f} MB")
        print(f"    files left behind: {len(report.left)}; findings: {len(report.findings)}")
        for number, text in sorted(report.findings.items()):
            given.keep.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as folder:
                data = mutant_of(what, bases(what, Path(folder)), given.seed, number)
            suffix = "mp3" if what == "files" else "onnx"
            kept = given.keep / f"{given.seed}-{number}.{suffix}"
            kept.write_bytes(data)
            print(f"{kept}:\n{text}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
