"""Libraries that only some installations have."""

from importlib.util import find_spec

from mp3fix.errors import UsageError


def need(what: str, extra: str, *modules: str) -> None:
    """Refuse what needs libraries that are not installed, before any work.

    Args:
        what: the option or command, as typed.
        extra: of the package, which installs them.
        modules: their names, as imported.

    Raises:
        UsageError: one of them is missing; it says how to install them.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UsageError(f"{what} needs {' and '.join(missing)}: pip install 'mp3fix[{extra}]'")
