"""The program mp3fix: how it starts and ends. What takes long to import comes later: --help must be quick."""

import os
import sys

from mp3fix.blas import one_thread
from mp3fix.cli.interrupt import EXIT_CODE, Interrupt, end

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
    except FileNotFoundError as error:  # names are made absolute, and the current folder is gone
        from mp3fix.files.names import system_reason

        print(f"{NAME}: {system_reason(error, 'the current folder')}", file=sys.stderr)
        return 1
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
    interrupt = Interrupt()
    interrupt.install()
    one_thread()
    try:
        if sys.stderr is None:  # closed; print would turn to standard output instead, into the music
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        else:
            _keep_stderr()
        if sys.stdout is not None:  # a file name that the terminal cannot show must not end the program
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        code = main(sys.argv[1:])
        interrupt.over = True
    except BaseException:
        if not interrupt.came:
            raise
        code = EXIT_CODE
    if interrupt.came and code:  # libraries may have made an error or an exit code of theirs of it
        code = EXIT_CODE
        print(f"{NAME}: interrupted", file=sys.stderr)
    end(code)


def _keep_stderr() -> None:
    """Keep standard error for Python: of damaged files libraries in C write hundreds of lines there (mpg123)."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    sys.stderr = open(  # noqa: SIM115
        kept, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace"
    )
    os.dup2(null, 2)
    os.close(null)


def _drop_output() -> None:
    """Python flushes standard output at its end: let that go nowhere, it has failed once."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
