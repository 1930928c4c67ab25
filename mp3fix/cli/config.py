"""Options that are not typed: from the environment, a preset and the user's configuration file.

They are put before what was typed, as if they had been typed too: so they mean the same, and the last one counts.
"""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from mp3fix.cli import plot
from mp3fix.cli.console import Console
from mp3fix.cli.options import app
from mp3fix.cli.request import Request
from mp3fix.errors import UsageError
from mp3fix.files.names import shown

PREFIX = "MP3FIX_"  # of environment variables: MP3FIX_TEXTURE is --texture

_BARE = {"plot"}  # options whose value may be left out
_NEVER = {"help", "version", "list-models", "info", "install-completion", "show-completion"}
_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}

Settings = dict[
    str, tuple[str, str | None]
]  # option -> where it was found, and how it would be typed (if at all)


def understood(arguments: list[str], program: str) -> Request | int:
    """The options of a command line; the exit code after --help and the like.

    Raises:
        UsageError: a file or a variable of the environment has an option that is none, or a value that it cannot have.
        Exception: of typer, with `format_message`: what was typed cannot be.
    """
    command = get_command(app)

    def parse(these: list[str]) -> Any:
        return command.main(these, prog_name=program, standalone_mode=False)

    arguments = plot.with_values(arguments)
    typed = parse(arguments)
    if not isinstance(typed, Request) or typed.version or typed.list_models:
        return typed if isinstance(typed, Request) else int(typed or 0)
    if typed.jobs is not None and typed.scheduler is not None:
        raise UsageError("--jobs is for this machine, --scheduler for others: leave one of them out")
    options = {option: parameter for parameter in command.params for option in _long_names(parameter)}
    settings = _gathered(options, typed.preset)
    for option in _meaningless(typed, settings):
        settings.pop(option, None)
    if typed.plot is None:
        _picture(settings)
    before = [text for _, text in settings.values() if text is not None]
    try:
        request: Request = parse([*before, *arguments]) if before else typed
    except Exception:
        for where, text in settings.values():
            if text is not None:
                _try(parse, where, text)
        raise
    if unknown := _unknown_variables(options):
        Console(request.quiet, request.verbose).warn(f"no such option, not applied: {', '.join(unknown)}")
    return request


def _meaningless(typed: Request, settings: Settings) -> set[str]:
    """Settings that mean nothing for a run; typed they would be refused.

    Args:
        typed: the command line alone.
        settings: all there are.
    """
    from mp3fix.batch.plan import names_file
    from mp3fix.batch.sources import STDIO, may_be_several

    options = set()
    if typed.jobs is not None or typed.page is not None:  # both are for this machine
        options.add("scheduler")
    if typed.piped:
        options.add("below")
    if typed.streams:
        options |= {"plot", "page"}
    elsewhere = typed.scheduler is not None or "scheduler" in settings.keys() - options
    # `find` itself would walk folders and read the list, perhaps from a pipe, before it is known which options count.
    library = may_be_several(typed.inputs or [], typed.input_list) or "input-list" in settings
    if library or (elsewhere and not typed.piped):
        options.add("page")
    if library and typed.plot is None and _picture(settings):
        options.add("plot")
    chosen = typed.below is not None or "below" in settings.keys() - options
    output = _said(settings, "output") if typed.output is None else typed.output
    if "others" in settings and not (chosen and output not in (None, STDIO) and not names_file(output)):
        options.add("others")
    return options


def _said(settings: Settings, option: str) -> str | None:
    """What is set for an option that takes a value."""
    _, text = settings.get(option, ("", None))
    return text and text.removeprefix(f"--{option}=")


def _picture(settings: Settings) -> str | None:
    """The picture that is set, as `plot.picture_name` gives it.

    Raises:
        UsageError: it cannot be one.
    """
    where, _ = settings.get("plot", ("", None))
    return plot.picture_name(_said(settings, "plot"), where)


def _try(parse: Any, where: str, text: str) -> None:
    """Raise UsageError if this one option is what cannot be."""
    try:
        parse([text])
    except Exception as error:
        raise UsageError(f"{where}: {getattr(error, 'message', error)}") from error


def _long_names(parameter: Any) -> list[str]:
    names = [name[2:] for name in parameter.opts if name.startswith("--")]
    return [name for name in names if name not in _NEVER]


def configuration() -> Path:
    """Where the user's configuration file is, or would be."""
    return Path(typer.get_app_dir("mp3fix")) / "config.toml"


def _gathered(options: Mapping[str, Any], preset: str | None) -> Settings:
    """The settings; of those for one option, that which counts."""
    found = _from_environment(options)
    if preset is None and "preset" in found:
        preset = os.environ[f"{PREFIX}PRESET"]
    settings: Settings = {}
    if os.path.lexists(configuration()):
        settings |= _from_file(configuration(), options)
    if preset is not None:
        settings |= _from_file(Path(preset), options)
    return settings | found


def _from_environment(options: Mapping[str, Any]) -> Settings:
    settings: Settings = {}
    for option, parameter in options.items():
        name = _variable(option)
        value = os.environ.get(name)
        if not value:
            continue
        if parameter.is_flag and value.lower() not in _WORDS:
            raise UsageError(f"{name}={shown(Path(value))}: is neither 1 nor 0")
        typed = _typed(option, _WORDS[value.lower()] if parameter.is_flag else value)
        settings[option] = f"{name}={shown(Path(value))}", typed
    return settings


def _variable(option: str) -> str:
    return PREFIX + option.upper().replace("-", "_")


def _unknown_variables(options: Mapping[str, Any]) -> list[str]:
    """Variables of the environment that look like options and are none, each with the one that may be meant."""
    known = {_variable(option) for option in options}
    unknown = [name for name in sorted(os.environ.keys() - known) if name.startswith(PREFIX)]
    if not unknown:
        return []
    from difflib import get_close_matches

    from mp3fix.files.ffmpeg import VARIABLE

    described = []
    for name in unknown:
        if name != VARIABLE and os.environ[name]:
            near = get_close_matches(name, [*known, VARIABLE], n=1, cutoff=0.8)  # they all begin alike
            described.append(shown(Path(name)) + (f" ({near[0]}?)" if near else ""))
    return described


def _from_file(path: Path, options: Mapping[str, Any]) -> Settings:
    import tomllib

    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{shown(path)}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{shown(path)}: is not TOML: {error}") from error
    settings: Settings = {}
    for option, value in values.items():
        where = f"{shown(path)}: {shown(Path(option))}"
        if option not in options or option == "preset":
            known = ", ".join(sorted(options.keys() - {"preset"}))
            raise UsageError(f"{where}: there is no such option; there are {known}")
        if options[option].is_flag != isinstance(value, bool) and not (
            option in _BARE and value in (True, False)
        ):
            wanted = "true or false" if options[option].is_flag else "a value"
            raise UsageError(f"{where}: this option takes {wanted}, not {_toml(value)}")
        if not isinstance(value, bool | int | float | str | datetime.time):
            raise UsageError(f"{where}: this option takes one value, not {_toml(value)}")
        settings[option] = f"{where} = {shown(Path(str(value)))}", _typed(option, value)
    return settings


def _toml(value: Any) -> str:
    """A value as it may have been written."""
    if isinstance(value, bool):
        return str(value).lower()
    kinds = (list, "a list"), (dict, "a table"), (str, "a text")
    return next((name for kind, name in kinds if isinstance(value, kind)), str(value))


def _typed(option: str, value: Any) -> str | None:
    """An option as it would be typed; None for one that would not be."""
    if isinstance(value, bool) and option in _BARE:
        return f"--{option}={plot.YES if value else plot.NO}"
    if isinstance(value, bool):
        return f"--{option}" if value else None
    return f"--{option}={value}"
