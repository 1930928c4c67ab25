"""mp3fix-lab listen: listening tests, made and analysed."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mp3fix.errors import Mp3fixError

app = typer.Typer(no_args_is_help=True)

NEEDED = ("scipy", "pyloudnorm", "matplotlib", "lameenc")  # of the extra [listen]


@app.callback()
def listen() -> None:
    """Make blind listening tests as pages that need no server, and analyse what comes back."""


@app.command("set")
def gather(
    songs: Annotated[list[Path], typer.Argument(help="Lossless recordings.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the set.")] = Path("set"),
    setting: Annotated[
        list[str] | None,
        typer.Option(help='MP3s to be made, such as "64k stereo", "32k mono", "V5 stereo"; repeatable.'),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Names of generators or .onnx files; repeatable. Default: music.")
    ] = None,
    start: Annotated[
        float | None, typer.Option(min=0, help="Of the excerpts, seconds. Default: from the middle.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=15, help="Length of the excerpts.")] = 10.0,
) -> None:
    """Make a SET of recordings of yours: excerpts, their MP3s, and what generators restore of these.

    Each song becomes a folder with reference.flac, mp3.flac and one file a generator. Add other systems' files there.
    """
    from mp3fix.listening.music import make_set

    make_set(songs, out, setting or ["64k stereo"], model or ["music"], start, seconds, print)


@app.command()
def make(
    stimuli: Annotated[
        Path, typer.Argument(metavar="SET", help="A folder of folders, one an item, with one file a system.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the page; the key goes beside it.")],
    method: Annotated[
        Literal["mos", "mushra", "abx", "which"],
        typer.Option(
            help="Five levels; 0 to 100 against the reference; X is A or B; lossless, MP3, restored."
        ),
    ] = "mushra",
    system: Annotated[
        list[str] | None, typer.Option(help="Only this system; repeatable. Default: all that are there.")
    ] = None,
    start: Annotated[float, typer.Option(min=0, help="Of the excerpts in their files, seconds.")] = 0.0,
    seconds: Annotated[float, typer.Option(min=1, max=15, help="The longest an excerpt may be.")] = 15.0,
    repeats: Annotated[
        int | None, typer.Option(min=1, max=20, help="ABX: how often each item is asked. Default: 2.")
    ] = None,
    title: Annotated[str, typer.Option(help="Of the page.")] = "Listening test",
    one_file: Annotated[
        bool, typer.Option("--one-file", help="Sound inside index.html: larger, but nothing to unpack.")
    ] = False,
) -> None:
    """Make a blind listening test of a SET, as a page that works from the disk and asks the network for nothing.

    Send the folder to listeners. The key, FOLDER.key.json, says which stimulus is which: keep it, analyse needs it.
    """
    from mp3fix.listening.pages import make as write_page
    from mp3fix.listening.stimuli import read_set

    if repeats is not None and method != "abx":
        raise typer.BadParameter("--repeats is for ABX")
    items, rate = read_set(stimuli, system or [], start, seconds)
    made = write_page(items, rate, method, out, title, (repeats or 2) if method == "abx" else 1, one_file)
    for line in made.warnings:
        print(f"warning: {line}")
    print(
        f"{made.page}: {made.megabytes:.1f} MB, {made.trials} trials a listener, all at {made.lufs:.1f} LUFS\n"
        f"{made.key}: the key; keep it to yourself"
    )


@app.command()
def analyse(
    results: Annotated[list[Path], typer.Argument(help="What listeners sent back, .json.")],
    key: Annotated[Path, typer.Option(help="The test's key, as listen make wrote it.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the report.")] = Path("listening"),
) -> None:
    """Analyse results: means, intervals, tests, screening, pictures; report.md and tables.

    Files that are no results of this test are named and left out; the exit code is then 1.
    """
    from mp3fix.listening.report import write_report
    from mp3fix.listening.results import read_key, read_results

    found, refused = read_results(results, read_key(key))
    for line in refused:
        typer.echo(f"left out: {line}", err=True)
    report = write_report(found, refused, read_key(key), out)
    print(f"{report}: {len(found)} listeners")
    if refused:
        raise Mp3fixError(f"{len(refused)} of {len(results)} files are left out")
