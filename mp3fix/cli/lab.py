"""The program mp3fix-lab: corpus, training, export, evaluation. Needs the extra [lab]."""

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from mp3fix.errors import Mp3fixError

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)

CorpusFolder = Annotated[Path, typer.Option("--corpus", help="Folder of the corpus.")]
RunFolder = Annotated[Path, typer.Option("--run", help="Folder of the run: checkpoint and log.")]


@app.callback()
def lab() -> None:
    """Make generators for mp3fix: gather a corpus, train, export, evaluate."""


@app.command()
def corpus(
    folder: Annotated[Path, typer.Argument(help="Where the corpus goes (about 8 GB).")],
    add: Annotated[list[Path] | None, typer.Option(help="A folder of your own lossless music.")] = None,
    packages: Annotated[bool, typer.Option(help="Download the Debian packages with apt-get.")] = True,
) -> None:
    """Download, unpack, decode and measure openly licensed music; split it by piece."""
    from mp3fix.training import corpus as made

    if packages:
        made.download(folder, print)
    print(made.summary(made.build(folder, add or [], print)))


@app.command()
def train(
    config: Annotated[str, typer.Argument(help="A bundled configuration's name, or a .toml file.")],
    corpus: CorpusFolder = Path("work/corpus"),
    run: RunFolder = Path("work/run"),
    init: Annotated[Path | None, typer.Option(help="Start from a generator's weights (.onnx).")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. Default: all cores.")] = None,
) -> None:
    """Train a generator; run again to go on where it was stopped."""
    from mp3fix.training import config as configuration
    from mp3fix.training import loop
    from mp3fix.training.export import weights_of

    weights = weights_of(init) if init else None
    loop.train(
        configuration.load(config), corpus, run, lambda line: print(line, flush=True), weights, threads
    )


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    models: Annotated[Path, typer.Option(help="Folder for the .onnx files.")] = Path("models"),
    version: Annotated[str, typer.Option(help="Version of the generator.")] = "1",
    texture: Annotated[float, typer.Option(min=0, max=1, help="Default texture.")] = 0.5,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="Of the correction: less is safer for good recordings.")
    ] = 0.25,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "CC-BY-SA-4.0",
) -> None:
    """Write NAME.onnx (stochastic) and NAME-det.onnx (its estimate without noise) from a run."""
    from mp3fix.training import export as exporting

    network, state = exporting.load_checkpoint(run / "checkpoint.pt")
    trained_on = (
        f"{state['step']} steps, {state['minutes']:.0f} min on {state['device']}; openly licensed music from "
        "Debian packages, listed in models/README.md"
    )
    models.mkdir(parents=True, exist_ok=True)
    name = state["config"]["name"]
    for each, dial in ((name, texture), (f"{name}-det", None)):
        contract = exporting.export(
            network,
            models / f"{each}.onnx",
            name=each,
            version=version,
            licence=licence,
            trained_on=trained_on,
            texture=dial,
            strength=strength,
        )
        print(f"{models / each}.onnx: context {contract.context} frames, {contract.trained_on}")


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A generator's name or .onnx file.")] = "music",
    corpus: CorpusFolder = Path("work/corpus"),
    out: Annotated[Path, typer.Option(help="Folder for the table and the single scores.")] = Path(
        "work/evaluation"
    ),
    texture: Annotated[
        list[float] | None, typer.Option(help="Textures to score. Default: 0 and the default.")
    ] = None,
    pieces: Annotated[int | None, typer.Option(min=1, help="At most this many test pieces.")] = None,
) -> None:
    """Score a generator against the MP3 on the test pieces."""
    from mp3fix.evaluation import evaluate as evaluation
    from mp3fix.restore import Restorer

    restorer = Restorer(model)
    contract = restorer.generator.contract
    textures = texture or ([0.0, contract.default_texture] if contract.texture else [0.0])
    scores = evaluation.evaluate(corpus, restorer, textures, print, pieces)
    out.mkdir(parents=True, exist_ok=True)
    evaluation.save(scores, out / f"{contract.name}.jsonl")
    table = evaluation.table(scores)
    (out / f"{contract.name}.md").write_text(table + "\n")
    print(table)


def run() -> None:
    """Entry point: exit codes as those of mp3fix."""
    missing = [name for name in ("torch", "onnx", "lameenc") if importlib.util.find_spec(name) is None]
    if missing and len(sys.argv) > 1 and "--help" not in sys.argv:
        print(f"mp3fix-lab: {', '.join(missing)} not installed; pip install 'mp3fix[lab]'", file=sys.stderr)
        sys.exit(1)
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
