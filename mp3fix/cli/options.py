"""The options of the program mp3fix, as typer reads and explains them."""

from typing import Annotated, Literal

import typer

from mp3fix.cli.request import Request

# \b keeps the lines of a paragraph as they are.
_EPILOGUE = """
\b
Examples:
  mp3fix song.mp3                   writes song.restored.flac beside it
  mp3fix music/ -o restored/        restores a library into a like tree;
                                    run again to go on where it was stopped
  mp3fix song.mp3 -o - | ffplay -   lets you listen at once
  mp3fix song.mp3 --seed 7 --samples 5 -o out/
                                    draws song.seed7.flac to song.seed11.flac
  mp3fix song.mp3 --plot            song.restored.png shows what was done

\b
Exit codes: 0 all done, 1 something failed, 2 wrong usage, 130 interrupted.

Options can also be set by variables (MP3FIX_TEXTURE=0.5), a preset and a
configuration file; see the README.
"""

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog=_EPILOGUE)
def mp3fix(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT", help="Files and folders to restore; - is standard input.", show_default=False
        ),
    ] = None,
    input_list: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Restore what this file names, a line each (or ended by NUL bytes); - is standard input.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Where to: a .flac or .wav file for one input, else a folder, which mirrors the inputs' tree; "
            "- is standard output (WAV).",
            show_default="NAME.restored.flac beside the input",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Names of the outputs, made of {stem}, {input_ext}, {ext}, {seed} and {model}.",
            show_default="{stem}.{ext} with -o, {stem}.restored.{ext} without",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force/--no-force", "-f", help="Overwrite existing files.", show_default=False)
    ] = False,
    form: Annotated[
        Literal["wav", "flac"] | None,
        typer.Option("--format", help="Format of the output.", show_default="that of -o, else flac"),
    ] = None,
    bits: Annotated[
        Literal["16", "24", "32f"] | None,
        typer.Option(
            help="Bits of a sample; 32f is floating point, for WAV only.", show_default="24; 32f for -o -"
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(
            min=8000,
            max=192000,
            metavar="HZ",
            help="Sampling rate of the output.",
            show_default="the input's, 44100 for anything below",
        ),
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(
            min=-60,
            max=60,
            metavar="DB",
            help="A fixed gain, for instance one for all songs of an album.",
            show_default="0; a song that would clip is lowered",
        ),
    ] = None,
    below: Annotated[
        int | None,
        typer.Option(
            min=8,
            max=2000,
            metavar="KBPS",
            help="Restore only what has at most this bitrate, or sounds as if it once had.",
            show_default="everything",
        ),
    ] = None,
    others: Annotated[
        Literal["skip", "copy"],
        typer.Option(help="What becomes of the others: nothing, or a copy below -o."),
    ] = "skip",
    no_tags: Annotated[
        bool, typer.Option("--no-tags/--tags", help="Leave tags and cover art behind.", show_default=False)
    ] = False,
    preserve_time: Annotated[
        bool,
        typer.Option(
            "--preserve-time/--no-preserve-time", help="Give the output the input's date.", show_default=False
        ),
    ] = False,
    start: Annotated[
        str, typer.Option(metavar="TIME", help="Preview: begin here, as in 90, 1:30 or 1:02:03.5.")
    ] = "0",
    duration: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Preview: stop after so long.", show_default="to the end"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Which of the plausible restorations to draw.", show_default="0"
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            min=1,
            max=20,
            metavar="N",
            help="How many to draw: seeds SEED, SEED+1 ..., each to its own file.",
        ),
    ] = 1,
    texture: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="X",
            help="How much of what cannot be known is drawn: 0 is most faithful and dull, 1 alive.",
            show_default="the generator's",
        ),
    ] = None,
    mix: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="0 is the input as decoded, 1 the restoration.")
    ] = 1.0,
    phase: Annotated[
        Literal["complex", "griffinlim", "neighbours"] | None,
        typer.Option(
            help="Take the generator's phases, or find phases: by Griffin-Lim, or faster and less well from the "
            "components around each.",
            show_default="as the generator needs",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="Generator: a name of --list-models, or an .onnx file.")
    ] = "music",
    device: Annotated[
        str,
        typer.Option(
            metavar="auto|cpu|cuda[:N]", help="Where it runs. auto is a GPU that can be used, else the CPU."
        ),
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="CPU threads.", show_default="one for each core")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=1024,
            metavar="N",
            help="How many songs to restore at a time, on this machine.",
            show_default="what suits the machine",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Let the workers of this Dask scheduler restore, as in tcp://host:8786.",
            show_default=False,
        ),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast/--no-fast",
            help="Let a GPU calculate in TF32: faster, and no longer equal to the CPU's.",
            show_default=False,
        ),
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.toml", help="Take options from this file: texture = 0.5", show_default=False
        ),
    ] = None,
    info: Annotated[
        bool, typer.Option("--info", help="Only say what the inputs are; measure their cut-off.")
    ] = False,
    list_models: Annotated[bool, typer.Option("--list-models", help="Only list the generators.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run/--no-dry-run",
            help="Only say what would be written where, and what not.",
            show_default=False,
        ),
    ] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json/--no-json", help="A line of JSON for each input, on standard output.", show_default=False
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet/--no-quiet", "-q", help="No progress and no warnings.", show_default=False),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose/--no-verbose", "-v", help="Say more of each song.", show_default=False)
    ] = False,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="[OUT.png]",
            help="Draw spectrograms before and after, of --samples all draws; without a name beside each output. "
            ".svg and .pdf too.",
            show_default=False,
        ),
    ] = None,
    plot_scale: Annotated[
        Literal["linear", "mel", "log"],
        typer.Option(help="Scale of frequency in pictures; linear shows best what is new in the treble."),
    ] = "linear",
    plot_channels: Annotated[
        Literal["mono", "all"],
        typer.Option(help="One spectrogram of all channels' mean power, or one for each channel."),
    ] = "mono",
    page: Annotated[
        str | None,
        typer.Option(
            metavar="OUT.html",
            help="Make a page that plays one song before and after, at the same moment and equally loud.",
            show_default=False,
        ),
    ] = None,
    page_seconds: Annotated[
        float,
        typer.Option(
            min=1,
            max=600,
            metavar="S",
            help="How much of the song is on the page: from --start, if that is given, else from its middle.",
        ),
    ] = 30,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> Request:
    """Restore heavily compressed music: MP3 (or any other) in, full-bandwidth FLAC or WAV out."""
    return Request(**locals())  # its fields are these parameters
