"""The program mp3fix-lab: corpus, training, export, evaluation (extra [lab]), listening tests (extra [listen])."""

import importlib.util
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mp3fix.cli import listen
from mp3fix.errors import Mp3fixError

if TYPE_CHECKING:
    from mp3fix.evaluation.work import Job

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)
app.add_typer(listen.app, name="listen")

NEEDED = ("torch", "onnx", "lameenc")  # of the extra [lab]

CorpusFolder = Annotated[Path, typer.Option("--corpus", help="Folder of the corpus.")]
RunFolder = Annotated[Path, typer.Option("--run", help="Folder of the run: checkpoint and log.")]


@app.callback()
def lab() -> None:
    """Make generators for mp3fix: gather a corpus, train, export, evaluate, listen."""


@app.command()
def corpus(
    folder: Annotated[Path, typer.Argument(help="Where the corpus goes (about 20 GB).")],
    add: Annotated[
        list[Path] | None, typer.Option(help="A folder of your own music, lossless if possible; repeatable.")
    ] = None,
    packages: Annotated[bool, typer.Option(help="Download the Debian packages with apt-get.")] = True,
) -> None:
    """Download, unpack, render, decode and measure openly licensed music; split it by piece."""
    from mp3fix.training import corpus as made
    from mp3fix.training import render
    from mp3fix.training.packages import download

    def report(line: str) -> None:
        print(line, flush=True)

    if packages:
        download(folder, report)
        render.render_all(folder, report)
    entries = made.build(folder, add or [], report)
    if not entries:
        raise Mp3fixError(f"{folder}: no music found; name a folder of yours with --add")
    print(made.summary(entries))


@app.command()
def train(
    config: Annotated[str, typer.Argument(help="A bundled configuration's name, or a .toml file.")],
    corpus: CorpusFolder = Path("work/corpus"),
    run: RunFolder = Path("work/run"),
    init: Annotated[Path | None, typer.Option(help="Start from a generator's weights (.onnx).")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. Default: all cores.")] = None,
) -> None:
    """Train a generator. Ctrl-C saves; run again to go on where it was stopped."""
    from mp3fix.training import config as configuration
    from mp3fix.training import loop

    loop.train(configuration.load(config), corpus, run, lambda line: print(line, flush=True), init, threads)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    models: Annotated[Path, typer.Option(help="Folder for the .onnx files.")] = Path("work/models"),
    version: Annotated[str, typer.Option(help="Version of the generator.")] = "1",
    texture: Annotated[float | None, typer.Option(min=0, max=1, help="Default texture. Ours: 0.75.")] = None,
    reach: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="How far seeds differ: 1 is all the network finds possible. Ours: 0.72."
        ),
    ] = None,
    air: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="How loud noise is where all else is empty and the rest tones. Ours: 0."
        ),
    ] = None,
    noisy_air: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="The same where the rest is noise and attacks. Ours: 1.2."),
    ] = None,
    mean_with: Annotated[
        Path | None, typer.Option(help="Take the mean of the run's weights and of this generator's (.onnx).")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "CC-BY-SA-4.0",
    variants: Annotated[
        bool,
        typer.Option(
            "--variants", help="Also NAME-int8.onnx and, of ours, NAME-fp16.onnx; needs the corpus."
        ),
    ] = False,
    corpus: CorpusFolder = Path("work/corpus"),
) -> None:
    """Write NAME.onnx from a run; of the generator that mp3fix ships also NAME-det.onnx, without noise."""
    from mp3fix.training import export as exporting
    from mp3fix.training.systems.folded import FoldedSystem

    system, state = exporting.load_checkpoint(run / "checkpoint.pt")
    if mean_with:
        exporting.mean_with(system.generator, mean_with)
    given = {"texture": texture, "reach": reach, "air": air, "noisy_air": noisy_air}
    dials = {name: value for name, value in given.items() if value is not None}
    if isinstance(system, FoldedSystem):
        system.dials = replace(system.dials, **dials)
    elif dials:
        raise Mp3fixError(
            "--texture, --reach, --air and --noisy-air are for the generator of music.toml only"
        )
    models.mkdir(parents=True, exist_ok=True)
    name, trained_on = state["config"]["name"], exporting.trained_on(state, mean_with)
    for graph in system.exported():
        path = models / f"{name}{graph.suffix}.onnx"
        contract = exporting.export(
            graph,
            path,
            name=path.stem,
            version=version,
            licence=licence,
            trained_on=trained_on,
        )
        unit = "samples" if contract.domain == "waveform" else "frames"
        print(f"{path}: context {contract.context} {unit}, {contract.trained_on}")
    if variants and not isinstance(system, FoldedSystem):
        from mp3fix.generator.contract import read_contract
        from mp3fix.training.quantised import quantise
        from mp3fix.training.variants import real_inputs

        trained, path = state["config"], models / f"{name}.onnx"
        inputs = real_inputs(corpus, read_contract(path), 48, trained["settings"], trained["identity_share"])
        made = quantise(path, inputs)
        print(f"{made.path}: {made.share:.0%} of the size, SNR of the change against fp32 {made.snr:.1f} dB")
    elif variants:
        from mp3fix.training.variants import write_variants

        for variant in write_variants(models / f"{name}.onnx", corpus):
            print(
                f"{variant.path}: {variant.path.stat().st_size / 1e6:.1f} MB, SNR of the change against fp32 "
                f"{variant.snr:.1f} dB, at worst {variant.worst:.1f} dB"
            )


@app.command()
def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Names of generators or .onnx files. Default: music."),
    ] = None,
    corpus: CorpusFolder = Path("work/corpus"),
    out: Annotated[
        Path,
        typer.Option(help="Folder for report.md, scores.csv, pictures and the cache; in part: quick.*."),
    ] = Path("work/evaluation"),
    quick: Annotated[bool, typer.Option("--quick", help="Minutes: 5 pieces, 6 settings, no draws.")] = False,
    pieces: Annotated[int | None, typer.Option(min=1, help="Only the first test pieces, by name.")] = None,
    peaq: Annotated[
        Path | None,
        typer.Option(help="A PEAQ program, such as GstPEAQ's: ODG and DI too.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Score generators against the MP3 on the test pieces, judge the gates and write a report.

    Stopped, it goes on where it was. It uses every core; results are kept in OUT/cache.
    """
    _require_measures()
    from mp3fix.evaluation import report, runner, spectrograms, testpieces
    from mp3fix.evaluation.coded import coded
    from mp3fix.evaluation.excerpts import QUICK_PIECES, excerpts
    from mp3fix.evaluation.models import read_models

    compared = read_models(models or ["music"])
    chosen = excerpts(corpus, pieces or (QUICK_PIECES if quick else None))
    jobs = runner.plan(chosen, compared, quick, peaq)
    _run(jobs, out / "cache")
    part = quick or pieces is not None  # never in the place of a full report
    pictures = {model.label: spectrograms.draw(chosen, model, out) for model in compared if not part}
    results = runner.gather(jobs, out / "cache")
    about = testpieces.about(corpus)
    gates = report.write(*results, compared, out, about, pictures, part, coded(chosen))
    judged = [gate for gate in gates if gate.holds is not None]
    written = out / ("quick.md" if part else "report.md")
    print(f"{written}: {sum(gate.holds is True for gate in judged)} of {len(judged)} gates hold")


@app.command()
def compare(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL]...", help="Generators beside the bundled ones: .onnx files."),
    ] = None,
    corpus: CorpusFolder = Path("work/corpus"),
    folder: Annotated[
        Path | None,
        typer.Option(
            "--models", metavar="DIR", help="All generators in a folder, too.", exists=True, file_okay=False
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The page; in the quick form NAME-quick.md.")] = Path(
        "docs/comparison.md"
    ),
    cache: Annotated[Path, typer.Option(help="Where results are kept; evaluate's are used.")] = Path(
        "work/evaluation/cache"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="4 pieces, no ViSQOL, no draws.")] = False,
    peaq: Annotated[
        Path | None,
        typer.Option(help="A PEAQ program, such as GstPEAQ's: ODG and DI too.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Score every generator there is beside the MP3 on the test pieces, and write one page of tables.

    It trains nothing. Stopped, it goes on where it was. It uses every core.
    """
    _require_measures()
    from mp3fix.evaluation import comparison, comparison_report, testpieces
    from mp3fix.evaluation.comparison_cost import costs
    from mp3fix.evaluation.excerpts import excerpts

    compared = comparison.present(models or [], folder)
    chosen = excerpts(corpus)
    if quick:
        chosen = comparison.few(chosen)
    jobs = comparison.plan(chosen, compared, quick, peaq)
    _run([job for each in jobs.values() for job in each], cache)
    results = comparison.collect(jobs, cache, compared, costs(compared), chosen)
    page = out.with_stem(f"{out.stem}-quick") if quick else out
    text = comparison_report.markdown(results, testpieces.about(corpus), str(out), quick)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    print(f"{page}: {len(compared)} generators, {len(chosen)} pieces")


@app.command()
def bench(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="Names of generators or .onnx files. Default: music and the variants of it that are there.",
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="auto|cpu|cuda[:N]", help="A GPU is measured beside the CPU; auto: if one can be used."
        ),
    ] = "auto",
    minutes: Annotated[float, typer.Option(min=0.05, help="Length of the song.")] = 4.0,
    out: Annotated[Path | None, typer.Option(help="Write the tables here too.")] = None,
) -> None:
    """Measure how fast generators are: network alone, other stages, whole process, devices.

    With a GPU, the same song must come out on both devices alike, to 1e-3; else the exit code is 1.
    """
    from mp3fix.evaluation.bench import AGREEMENT
    from mp3fix.evaluation.bench import bench as measure

    tables, difference = measure(models or [], device, minutes, lambda line: print(line, file=sys.stderr))
    print(tables)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(tables + "\n")
    if difference is not None and difference > AGREEMENT:
        raise Mp3fixError(f"the GPU's song differs by {difference:.1e}, more than {AGREEMENT:g}")


def _require_measures() -> None:
    missing = [name for name in ("visqol", "pesq", "pystoi") if importlib.util.find_spec(name) is None]
    if missing:
        raise Mp3fixError(f"{', '.join(missing)} not installed; pip install 'mp3fix[lab]'")


def _run(jobs: "Sequence[Job]", cache: Path) -> None:
    """Do all jobs of a plan, and show how far they are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from mp3fix.evaluation import runner

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(jobs))

        def tell(done: int, total: int, what: str) -> None:
            progress.update(task, completed=done, description=escape(what))
            if progress.disable:
                print(f"{done}/{total} {what}", file=sys.stderr, flush=True)

        runner.run(jobs, cache, tell)


def run() -> None:
    """Entry point: exit codes as those of mp3fix."""
    needed, extra = (listen.NEEDED, "listen") if sys.argv[1:2] == ["listen"] else (NEEDED, "lab")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing and len(sys.argv) > 1 and "--help" not in sys.argv:
        print(
            f"mp3fix-lab: {', '.join(missing)} not installed; pip install 'mp3fix[{extra}]'", file=sys.stderr
        )
        sys.exit(1)
    # As Ctrl-C, else the processes of an evaluation outlive it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except Mp3fixError as error:
        print(f"mp3fix-lab: {error}", file=sys.stderr)
        code = 1
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        print(f"mp3fix-lab: {message()}", file=sys.stderr)
        code = 2
    sys.exit(code)
