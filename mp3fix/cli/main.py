"""The program mp3fix. Nothing heavy is imported before the options are understood: --help must be quick."""

import signal
import sys
from types import FrameType
from typing import Annotated, Literal

import typer

from mp3fix import __version__

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

OUTPUT = "Output"
MODEL = "Restoration"
OTHER = "Other"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mp3fix {__version__}")
        raise typer.Exit


@app.command()
def mp3fix(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT...", help="Files; - for standard input.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A .flac or .wav file for one input, a folder otherwise, - for standard output (WAV). "
            "Default: NAME.restored.flac beside the input.",
        ),
    ] = None,
    form: Annotated[
        Literal["wav", "flac"] | None,
        typer.Option("--format", help="Of the output. Default: as -o says, else flac."),
    ] = None,
    bits: Annotated[
        Literal["16", "24", "32f"] | None, typer.Option(help="Default: 24; 32f for -o -.")
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(min=8000, max=192000, metavar="HZ", help="Default: the input's, at least 44100."),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="Generator: a name of --list-models, or an .onnx file.")
    ] = "music",
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda[:N]", help="Where the generator runs.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. Default: all cores.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Which restoration is drawn. Default: 0.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, max=100, help="Restorations to draw, by seeds SEED, SEED+1 ...")
    ] = 1,
    texture: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How much of what cannot be known is drawn: 0 faithful and dull, 1 alive. Default: the generator's.",
        ),
    ] = None,
    mix: Annotated[float, typer.Option(min=0, max=1, help="0 the decoded input, 1 restored.")] = 1.0,
    phase: Annotated[
        Literal["complex", "griffinlim"] | None,
        typer.Option(
            help="The generator's phases, or phases found by Griffin-Lim. Default: as the generator needs."
        ),
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(
            min=-60, max=60, metavar="DB", help="A fixed gain. Default: lower a song that would clip."
        ),
    ] = None,
    start: Annotated[str, typer.Option(metavar="TIME", help="Preview: where to begin (90, 1:30).")] = "0",
    duration: Annotated[str | None, typer.Option(metavar="TIME", help="Preview: how long.")] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite existing outputs.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be written, and write nothing.")
    ] = False,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Leave tags and cover art behind.")] = False,
    preserve_time: Annotated[
        bool, typer.Option("--preserve-time", help="Give outputs the input's date.")
    ] = False,
    info: Annotated[
        bool, typer.Option("--info", help="Say what the inputs are, and restore nothing.")
    ] = False,
    list_models: Annotated[bool, typer.Option("--list-models", help="List the generators.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON a file on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Restore heavily compressed music: MP3 (or anything else) in, full-bandwidth FLAC or WAV out."""
    from mp3fix.cli import run

    if list_models:
        raise typer.Exit(run.list_models(json))
    if not inputs:
        raise typer.BadParameter("name at least one input; see mp3fix --help")
    if info:
        raise typer.Exit(run.info(inputs, json))
    raise typer.Exit(
        run.restore(
            run.Request(
                inputs=inputs,
                output=output,
                form=form,
                bits=bits,
                rate=rate,
                model=model,
                device=device,
                threads=threads,
                seed=seed,
                samples=samples,
                texture=texture,
                mix=mix,
                phase=phase,
                gain=gain,
                start=start,
                duration=duration,
                force=force,
                dry_run=dry_run,
                tags=not no_tags,
                preserve_time=preserve_time,
                json=json,
                quiet=quiet,
                verbose=verbose,
            )
        )
    )


def _terminate(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run() -> None:
    """Entry point: exit codes 0 done, 1 something failed, 2 usage, 130 interrupted."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        message = getattr(error, "format_message", None)  # of an option that typer could not take
        if message is None:
            raise
        print(f"mp3fix: {message()}", file=sys.stderr)
        code = 2
    sys.exit(code)
