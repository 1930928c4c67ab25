"""Disks that are full or read-only: songs that go there are not begun, since all their work would be for nothing."""

import errno
import os
from collections import Counter

from mp3fix.batch.plan import Job
from mp3fix.batch.work import Record
from mp3fix.files.names import shown

_REFUSALS = {errno.errorcode[number] for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)}
_MOST = 3  # songs in a row; the first may only have been longer than others


class Disks:
    """What the outputs' disks said in this run. A disk that refuses three songs in a row is given up."""

    def __init__(self) -> None:
        self._refused: Counter[int] = Counter()  # songs in a row, by device
        # By device: a folder on it, and how many songs were not begun.
        self._left: dict[int, tuple[str, int]] = {}

    def ended(self, job: Job, record: Record) -> None:
        """Take note of what became of a song."""
        if record.get("errno") in _REFUSALS:
            self._refused[_device(job)] += 1
        elif self._refused and record["status"] in ("restored", "copied"):
            self._refused[_device(job)] = 0

    def given_up(self, job: Job) -> bool:
        """Whether the song's disk is given up. If so, the song is counted as one that is not begun."""
        if not self._refused or self._refused[device := _device(job)] < _MOST:
            return False
        folder, songs = self._left.get(device, (shown(job.outputs[0].parent), 0))
        self._left[device] = folder, songs + 1
        return True

    def lines(self) -> list[str]:
        """What to tell at the end: a line for each disk on which songs were not begun."""
        return [
            f"{songs} more songs were not begun: the disk of {folder} refused {_MOST} in a row; "
            "the same command goes on from here"
            for folder, songs in self._left.values()
        ]


def _device(job: Job) -> int:
    """Of the output's folder, or of that above it which is there."""
    folder = job.outputs[0].absolute().parent
    while True:
        try:
            return os.stat(folder).st_dev
        except OSError:
            if folder == folder.parent:
                return 0
            folder = folder.parent
