"""Options that are not typed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Ended
from typer.main import get_command

from mp3fix.cli.config import _long_names, configuration, understood
from mp3fix.cli.options import app
from mp3fix.cli.request import Request
from mp3fix.errors import UsageError

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def options(*arguments: str) -> Request:
    parsed = understood(["x.mp3", *arguments], "mp3fix")
    assert isinstance(parsed, Request)
    return parsed


def configure(text: str) -> None:
    configuration().parent.mkdir(parents=True, exist_ok=True)
    configuration().write_text(text)


def test_the_order_of_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them in turn is asked only where no earlier one says anything."""
    assert options().texture is None
    configure("texture = 0.1\nmix = 0.1\nseed = 1\nrate = 48000")
    Path("my.toml").write_text("texture = 0.2\nmix = 0.2\nseed = 2")
    monkeypatch.setenv("MP3FIX_TEXTURE", "0.3")
    monkeypatch.setenv("MP3FIX_MIX", "0.3")
    found = options("--preset", "my.toml", "--texture", "0.4")
    assert (found.texture, found.mix, found.seed, found.rate) == (0.4, 0.3, 2, 48000)
    assert options().seed == 1
    monkeypatch.setenv("MP3FIX_PRESET", "my.toml")
    assert options().seed == 2


def test_what_is_set_is_as_if_it_were_typed() -> None:
    configure(
        'output = "-odd name/"\nbits = 16\nstart = 00:01:30\nduration = 90\ngain = -6\nforce = true\njson = false\n'
        'format = "wav"\ninput-list = "list"\npreserve-time = true\nname = "{stem}.{ext}"\nothers = "copy"\njobs = 2\n'
        "below = 128"
    )
    typed = (
        ["--output=-odd name/", "--bits=16", "--start=00:01:30", "--duration=90", "--gain=-6", "--force"],
        [
            "--format=wav",
            "--input-list=list",
            "--preserve-time",
            "--name={stem}.{ext}",
            "--others=copy",
            "-j2",
            "--below=128",
        ],
    )
    found = options()
    configuration().unlink()
    assert found == options(*(each for half in typed for each in half))
    assert found.output == "-odd name/" and found.force and not found.json


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("True", True), ("no", False), ("0", False), ("", True)]
)
def test_flags_of_the_environment(text: str, value: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("force = true")
    monkeypatch.setenv("MP3FIX_FORCE", text)
    assert options().force is value


@pytest.mark.parametrize(
    "name", ["FORMAT", "INPUT_LIST", "NO_TAGS", "BELOW", "JOBS", "SCHEDULER", "DRY_RUN", "NAME"]
)
def test_variables_are_named_like_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = options()
    values = {"FORMAT": "wav", "BELOW": "128"}
    monkeypatch.setenv(f"MP3FIX_{name}", values.get(name, "1"))
    assert options() != before


def test_a_variable_that_is_misspelt(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told once, however many processes there are."""
    monkeypatch.setenv("MP3FIX_TEXTUR", "0.3")
    monkeypatch.setenv("MP3FIX_FFMPGE", "ffmpeg")
    monkeypatch.setenv("MP3FIX_ZZZ", "1")
    monkeypatch.setenv("MP3FIX_OUT", "")  # as good as none
    told = "MP3FIX_FFMPGE (MP3FIX_FFMPEG?), MP3FIX_TEXTUR (MP3FIX_TEXTURE?), MP3FIX_ZZZ"
    line = f"mp3fix: warning: no such option, not applied: {told}\n"
    (song.parent / "again.mp3").write_bytes(song.read_bytes())
    ended = call("music", "--model", model, "-o", "out", "-j", 2)
    assert (
        ended.code == 0 and ended.err.startswith(f"{line}mp3fix: 2 restored") and ended.err.count("\n") == 2
    )
    assert call(song, "--model", model) == Ended(0, "", line)
    assert call(song, "--model", model, "-f", "-q") == Ended(0, "", "")


def test_a_variable_that_is_read_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MP3FIX_FFMPEG", "/here/is/ffmpeg")
    options()
    assert capsys.readouterr().err == ""


REFUSED = [
    ("textur = 0.5", ["textur: there is no such option", "texture"]),
    ('preset = "x.toml"', ["preset: there is no such option"]),
    ("version = true", ["version: there is no such option"]),
    ("texture = 2", ["texture = 2: ", " 1"]),
    ('texture = "much"', ["texture = much: "]),
    ("texture = [0.5]", ["texture: this option takes one value, not a list"]),
    ("[texture]\nx = 1", ["texture: this option takes one value, not a table"]),
    ("texture = true", ["texture: this option takes a value, not true"]),
    ("seed = 1.5", ["seed = 1.5: "]),
    ("force = 1", ["force: this option takes true or false, not 1"]),
    ('force = "yes"', ["force: this option takes true or false, not a text"]),
    ('format = "mp3"', ["format = mp3: ", "flac"]),
    ("texture = ", ["is not TOML"]),
    ("\udcff", ["is not TOML"]),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
@pytest.mark.parametrize("kind", ["preset", "configuration"])
def test_what_a_file_cannot_say(call: Call, text: str, words: list[str], kind: str) -> None:
    path = Path("my.toml") if kind == "preset" else configuration()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    ended = call("x.mp3", *(["--preset", path] if kind == "preset" else []))
    assert ended.code == 2 and ended.out == "" and ended.err.count("\n") == 1
    assert ended.err.startswith(f"mp3fix: {path}: ") and all(word in ended.err for word in words)


@pytest.mark.parametrize("setting", ["TEXTURE=much", "TEXTURE=2", "FORCE=maybe", "JOBS=0", "FORMAT=mp3"])
def test_what_the_environment_cannot_say(call: Call, setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*f"MP3FIX_{setting}".split("="))
    ended = call("x.mp3")
    assert (
        ended.code == 2 and ended.err.startswith(f"mp3fix: MP3FIX_{setting}: ") and ended.err.count("\n") == 1
    )


def test_files_that_cannot_be_read(call: Call) -> None:
    ended = call("x.mp3", "--preset", "gone.toml")
    assert ended == Ended(2, "", "mp3fix: gone.toml: No such file or directory\n")
    configuration().mkdir(parents=True)
    with pytest.raises(UsageError, match=r"config\.toml"):
        options()


def test_a_file_that_is_nested_too_deeply(call: Call) -> None:
    Path("deep.toml").write_text("texture = " + 5000 * "[")
    ended = call("song.mp3", "--preset", "deep.toml")
    assert ended.code == 2 and ended.err.startswith("mp3fix: deep.toml: is not TOML: ")


def test_files_of_windows() -> None:
    configure("\ufefftexture = 0.5\r\nmix = 0.5\r\n")
    assert (options().texture, options().mix) == (0.5, 0.5)


def test_what_was_typed_is_blamed_for_itself(call: Call) -> None:
    configure("texture = 0.5")
    ended = call("x.mp3", "--seed", "much")
    assert ended.code == 2 and "--seed" in ended.err and "config" not in ended.err


def test_a_broken_configuration_does_not_hide_help(call: Call) -> None:
    configure("broken")
    assert call("--help").code == 0 and call("--version").code == 0


def test_a_preset_at_work(call: Call, song: Path, model: Path) -> None:
    Path("my.toml").write_text(f'model = "{model}"\noutput = "out/"\nformat = "wav"\nduration = 0.5\n')
    assert call(song, "--preset", "my.toml") == Ended(0, "", "")
    assert Path("out/song.wav").is_file()


def test_the_configuration_is_where_such_files_are(monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/me/.config")
    assert configuration() == Path("/home/me/.config/mp3fix/config.toml")


def test_at_a_time_here_or_on_a_cluster() -> None:
    """Which of them was typed counts; to type both means nothing."""
    configure('scheduler = "tcp://host:8786"\njobs = 2')
    assert options("-j", "3").scheduler is None and options("-j", "3").jobs == 3
    assert options("--scheduler", "tcp://other:1").scheduler == "tcp://other:1"
    assert options().scheduler == "tcp://host:8786"
    with pytest.raises(UsageError, match=r"--jobs .* --scheduler"):
        options("-j", "3", "--scheduler", "tcp://other:1")


FLAGS = ["force", "no-tags", "preserve-time", "fast", "dry-run", "json", "quiet", "verbose"]


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("kind", ["configuration", "preset", "environment"])
def test_a_flag_that_is_set_can_be_switched_off(
    flag: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def value(*typed: str) -> bool:
        return bool(getattr(options(*typed), flag.replace("-", "_")))

    if kind == "configuration":
        configure(f"{flag} = true")
    elif kind == "environment":
        monkeypatch.setenv(f"MP3FIX_{flag.upper().replace('-', '_')}", "1")
    else:
        Path("my.toml").write_text(f"{flag} = true")
        monkeypatch.setenv("MP3FIX_PRESET", "my.toml")
    off = "--tags" if flag == "no-tags" else f"--no-{flag}"
    assert value() and not value(off) and value(off, f"--{flag}")


def test_every_flag_that_can_be_set_can_be_switched_off() -> None:
    flags = [each for each in get_command(app).params if getattr(each, "is_flag", False)]
    settable = [each for each in flags if _long_names(each)]
    assert sorted(_long_names(each)[0] for each in settable) == sorted(FLAGS)
    assert all(each.secondary_opts for each in settable)


def test_what_is_not_typed_does_not_choose_among_pipes() -> None:
    """--below in a configuration is for libraries: one can still listen to a song at once."""
    configure("below = 128")
    assert options().below == 128
    assert options("-o", "-").below is None and options("-o", "-", "--below", "64").below == 64
    piped = understood(["-", "-o", "x.flac"], "mp3fix")
    assert isinstance(piped, Request) and piped.below is None


@pytest.mark.parametrize(
    ("typed", "others"),
    [
        (["-o", "out"], "copy"),
        (["-o", "there.flac/"], "copy"),
        ([], "skip"),
        (["-o", "x.flac"], "skip"),
        (["-o", "-"], "skip"),
        (["-o", "out", "--others", "skip"], "skip"),
    ],
)
def test_what_is_not_typed_is_copied_into_folders_alone(typed: list[str], others: str) -> None:
    configure('below = 128\nothers = "copy"')
    assert options(*typed).others == others
    configure('others = "copy"')  # of nothing that is left
    assert options(*typed).others == "skip"
    assert options(*typed, "--below", "64").others == others
    typed_too = options(*typed, "--others", "copy")  # it is refused where it means nothing
    assert typed_too.others == "copy"


def test_the_folder_of_copies_may_be_set_too(song: Path, model: Path, call: Call) -> None:
    configure('below = 128\nothers = "copy"\noutput = "out"')
    assert options().others == "copy"
    configure('below = 128\nothers = "copy"\noutput = "x.flac"')
    assert options().others == "skip"
    configure('below = 8\nothers = "copy"')
    assert call(song, "--model", model) == Ended(0, "", "")


@pytest.mark.parametrize(
    ("inputs", "kept"),
    [
        (["x.mp3"], True),
        (["-", "-o", "x.flac"], True),
        (["[x].mp3"], True),  # a file, and no pattern
        (["music"], False),
        (["x.mp3", "y.mp3"], False),
        (["*.mp3"], False),
        (["--input-list", "list"], False),
    ],
)
def test_what_is_not_typed_is_of_one_song(
    inputs: list[str], kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--page, and a name with --plot: of a library there is neither, as if they were not set."""
    Path("music").mkdir()
    Path("[x].mp3").touch()
    monkeypatch.setenv("MP3FIX_PAGE", "x.html")
    configure('plot = "x.png"')
    found = understood(inputs, "mp3fix")
    assert isinstance(found, Request)
    assert (found.page, found.plot) == (("x.html", "x.png") if kept else (None, None))
    found = understood([*inputs, "--page", "y.html", "--plot", "y.png"], "mp3fix")
    assert isinstance(found, Request) and (found.page, found.plot) == ("y.html", "y.png")
    monkeypatch.setenv("MP3FIX_PLOT", "1")  # one beside each
    found = understood(inputs, "mp3fix")
    assert isinstance(found, Request) and found.plot == "1"


def test_a_list_that_is_set_is_a_library_too() -> None:
    configure('input-list = "list"\npage = "x.html"')
    found = understood([], "mp3fix")
    assert isinstance(found, Request) and (found.input_list, found.page) == ("list", None)


def test_a_page_is_made_on_this_machine() -> None:
    """Which of --page and --scheduler was typed counts."""
    configure('page = "x.html"')
    assert options("--scheduler", "tcp://host:1").page is None
    configure('page = "x.html"\nscheduler = "tcp://host:1"')
    assert options().page is None and options().scheduler == "tcp://host:1"
    assert options("--page", "y.html").scheduler is None
    assert options("-j", "1").page == "x.html"
    piped = understood(["-", "-o", "x.flac"], "mp3fix")  # which is restored here in any case
    assert isinstance(piped, Request) and piped.page == "x.html"
