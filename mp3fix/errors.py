"""Every error mp3fix raises on purpose. Each message says what is wrong with which file and what to do."""


class Mp3fixError(Exception):
    """Base of all errors that a user can do something about."""


class UsageError(Mp3fixError):
    """What was asked for means nothing; the message says why."""


class DecodeError(Mp3fixError):
    """The input is missing, is not audio, or nothing of it can be decoded."""


class EncodeError(Mp3fixError):
    """The output cannot be written, or cannot hold what it should."""


class ModelError(Mp3fixError):
    """The generator's file is missing, broken, or breaks the contract."""


class DeviceError(Mp3fixError):
    """The device asked for is not there."""


class OutputExistsError(EncodeError):
    """The output exists and was not to be overwritten."""
