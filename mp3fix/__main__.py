"""python -m mp3fix is the program mp3fix."""

from mp3fix.cli.main import run

run()
