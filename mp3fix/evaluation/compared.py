"""Scores, looked up: what a system scored on each piece, and how that differs from the MP3."""

from collections.abc import Container, Iterable

from mp3fix.evaluation.runner import MP3, Score
from mp3fix.evaluation.statistics import mean


class Compared:
    """Scores of pieces by setting and system.

    Attributes:
        settings, pieces: in the order of the scores.
    """

    def __init__(self, scores: Iterable[Score]) -> None:
        self._scores = {(score.setting, score.system, score.piece): score for score in scores}
        self._categories = {score.piece: score.category for score in self._scores.values()}
        self.settings = list(dict.fromkeys(setting for setting, _, _ in self._scores))
        self.pieces = list(dict.fromkeys(piece for _, _, piece in self._scores))

    def pieces_of(self, category: str) -> list[str]:
        """The pieces of a category of music."""
        return [piece for piece in self.pieces if self._categories[piece] == category]

    def systems(self, setting: str) -> list[str]:
        """The systems scored at a setting, the MP3 first."""
        return list(dict.fromkeys(system for at, system, _ in self._scores if at == setting))

    def metrics(self, setting: str) -> list[str]:
        """The measures there are at a setting."""
        return list(
            dict.fromkeys(
                name for (at, _, _), score in self._scores.items() if at == setting for name in score.values
            )
        )

    def values(self, setting: str, system: str, metric: str, reach: float = 0.0) -> dict[str, float]:
        """Value of a measure for each piece whose recording reaches `reach` Hz."""
        found = {}
        for piece in self.pieces:
            score = self._scores.get((setting, system, piece))
            if score is not None and metric in score.values and score.cutoff >= reach:
                found[piece] = score.values[metric]
        return found

    def mean(self, setting: str, system: str, metric: str, pieces: Container[str]) -> float:
        """Mean of a measure over those of these pieces that have it; nan where none has."""
        found = self.values(setting, system, metric)
        return mean(value for piece, value in found.items() if piece in pieces)

    def changes(self, setting: str, system: str, metric: str, base: str = MP3) -> dict[str, float]:
        """A system's value minus another's, the MP3's if none is named, for each piece that both were scored on."""
        theirs, mine = self.values(setting, base, metric), self.values(setting, system, metric)
        return {piece: value - theirs[piece] for piece, value in mine.items() if piece in theirs}
