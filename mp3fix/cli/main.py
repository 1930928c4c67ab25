"""The program mp3fix: how it starts and ends. What takes long to import comes later: --help must be quick."""

import os
import signal
import sys
import time
from types import FrameType

NAME = "mp3fix"


def main(arguments: list[str]) -> int:
    """The program, given its arguments. Returns the exit code: 0 all done, 1 something failed, 2 wrong usage."""
    from mp3fix.cli.config import understood
    from mp3fix.errors import UsageError

    try:
        parsed = understood(arguments, NAME)
        if isinstance(parsed, int):
            code = parsed
        else:
            from mp3fix.cli.run import perform

            code = perform(parsed)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except OSError as error:  # of standard output: all others are dealt with where they arise
        _drop_output()
        if not isinstance(error, BrokenPipeError):
            print(f"{NAME}: standard output: {error.strerror or error}", file=sys.stderr)
        return 1
    except UsageError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        message = getattr(error, "format_message", None)  # of an option that typer could not take
        if message is None:
            raise
        print(f"{NAME}: {message()}\nSee {NAME} --help.", file=sys.stderr)
        return 2


def run() -> None:
    """Entry point of the installed program."""
    interrupt = _Interrupt()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, interrupt)
    try:
        if sys.stderr is None:  # closed; print would turn to standard output instead, into the music
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        if sys.stdout is not None:  # a file name that the terminal cannot show must not end the program
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        code = main(sys.argv[1:])
        interrupt.over = True
    except BaseException:  # libraries may turn an interrupt into an error of theirs
        if interrupt.at is None:
            raise
        print(f"{NAME}: interrupted", file=sys.stderr)
        # What was begun has been cleared away, but for what an interrupt between two steps may leave.
        temporary = sys.modules.get("mp3fix.files.temporary")
        if temporary is not None:
            temporary.remove_all()
        # Python's own end could still wait for a thread, or for whoever reads the pipe.
        os._exit(130)
    sys.exit(code)


class _Interrupt:
    """Handler of signals. What comes again within two seconds does not disturb the clearing away."""

    at: float | None = None
    over = False  # all is done, and only Python's own end is left

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.over:
            return
        if self.at is None or now - self.at > 2:
            self.at = now
            raise KeyboardInterrupt


def _drop_output() -> None:
    """Python flushes standard output at its end: let that go nowhere, it has failed once."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
