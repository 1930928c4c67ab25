"""Which pieces of a corpus are evaluated: those of the written test set, so that figures can be compared."""

from pathlib import Path

from mp3fix.errors import Mp3fixError
from mp3fix.training import corpus
from mp3fix.training.testset import TEST


def test_entries(root: Path) -> list[corpus.Entry]:
    """The corpus' entries of the written test set; where there is none of them, all its test pieces.

    Raises:
        Mp3fixError: there is no corpus, or no test piece in it.
    """
    test = [entry for entry in corpus.load(root) if entry.split == "test" and entry.kind == "music"]
    if not test:
        raise Mp3fixError(f"{root}: a corpus without test pieces")
    return [entry for entry in test if _key(entry) in TEST] or test


def about(root: Path) -> str:
    """A sentence: how far what is evaluated is the written test set, and what of it is missing.

    Raises:
        Mp3fixError: as test_entries.
    """
    there = {_key(entry) for entry in test_entries(root)}
    missing = [key for key in TEST if key not in there]
    if not missing:
        return f"The corpus holds the whole written test set, {len(TEST)} pieces."
    if len(missing) == len(TEST):
        return (
            "The corpus holds nothing of the written test set; its own test pieces were taken, so the figures cannot "
            "be compared with those of others."
        )
    return f"Missing from the corpus are {len(missing)} of the {len(TEST)} written test pieces: {', '.join(missing)}."


def _key(entry: corpus.Entry) -> str:
    """As testset.TEST names it."""
    return f"{entry.source}/{Path(entry.file).name}"
