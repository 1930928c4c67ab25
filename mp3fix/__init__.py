"""mp3fix restores heavily compressed music."""

__version__ = "0.1.0"
