"""What a listening test says, as report.md, tables as CSV and a picture."""

from collections.abc import Sequence
from pathlib import Path

from mp3fix.errors import Mp3fixError
from mp3fix.files.names import system_reason
from mp3fix.listening import analysis, plots, sections, tables
from mp3fix.listening.markdown import plain
from mp3fix.listening.results import Key, Result
from mp3fix.listening.writing import write
from mp3fix.report.plotting import plotting

NAMES = {
    "mos": "Absolute category rating (MOS, 0 bad to 4 excellent)",
    "mushra": "MUSHRA (ITU-R BS.1534-3, 0 to 100)",
    "abx": "ABX",
    "which": "Which is lossless, MP3, restored",
}
PICTURE = "results.png"


def write_report(results: Sequence[Result], refused: Sequence[str], key: Key, out: Path) -> Path:
    """Analyse results and write report.md, answers.csv, for ratings systems.csv, and results.png into a folder.

    Raises:
        Mp3fixError: there is no result, or post-screening leaves none.
    """
    if not results:
        raise Mp3fixError("no result is left to analyse")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mp3fixError(system_reason(error, str(out))) from error
    lines = [f"# {plain(key.title)}", "", f"{NAMES[key.method]}, {_people(results, key)}.", ""]
    if key.method in ("mos", "mushra"):
        rated = analysis.ratings(results, key)
        if not rated.listeners:
            raise Mp3fixError(
                "post-screening leaves no listener: " + "; ".join(map(" ".join, rated.excluded.items()))
            )
        lines += sections.ratings(rated, key.method)
        write(out / "systems.csv", tables.systems(rated))
        with plotting():
            plots.ratings(rated, key.method, out / PICTURE)
    elif key.method == "abx":
        answered = analysis.abx(results, key)
        lines += sections.abx(answered)
        with plotting():
            plots.abx(answered, out / PICTURE)
    else:
        told = analysis.which(results, key)
        lines += sections.which(told)
        with plotting():
            plots.which(told, out / PICTURE)
    lines += [f"![results]({PICTURE})", ""]
    lines += _remarks(results, refused, key)
    write(out / "answers.csv", tables.answers(results, key))
    write(out / "report.md", "\n".join(lines).rstrip() + "\n")
    return out / "report.md"


def _people(results: Sequence[Result], key: Key) -> str:
    count = len(results)
    heard = sorted({result.heard_with for result in results if result.heard_with})
    by = {name: sum(result.heard_with == name for result in results) for name in heard}
    with_what = ", ".join(f"{plain(name)} {n}" for name, n in by.items())
    items = len(key.items)
    return f"{count} listener{'s' * (count != 1)}, {items} item{'s' * (items != 1)}" + (
        f" (heard with: {with_what})" if with_what else ""
    )


def _remarks(results: Sequence[Result], refused: Sequence[str], key: Key) -> list[str]:
    lines = []
    said = [
        (result.participant, key.items[trial.item], trial.comment)
        for result in results
        for trial in result.trials
        if trial.comment
    ]
    said += [(result.participant, "all", result.comment) for result in results if result.comment]
    if said:
        lines += ["## Comments", ""]
        lines += [f"- {name}, {plain(item)}: {plain(text)}" for name, item, text in said] + [""]
    if refused:
        lines += ["## Files left out", "", *(f"- {plain(line)}" for line in refused), ""]
    return lines
