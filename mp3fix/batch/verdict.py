"""What is done with an input: restored, skipped, copied, left or refused, and why."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mp3fix.batch import done, pictures
from mp3fix.files.names import shown

Action = Literal["restore", "draw", "skip", "copy", "leave", "refuse"]


@dataclass(frozen=True)
class Verdict:
    """What is done with an input.

    Attributes:
        action: "restore" it; "draw" its picture, since all else is there; "skip" it, since what would be made is
            there; "copy" it as it is, or "leave" it, since its bitrate is not below --below; or "refuse" to, since
            something else is there.
        reason: why, in one line; of "refuse" a message that names the file.
        overwrite: whether what is there is replaced.
        copied: of "skip": what is there is a copy of the input, not its restoration.
        overdraw: whether a picture that is there is replaced.
    """

    action: Action
    reason: str = ""
    overwrite: bool = False
    copied: bool = False
    overdraw: bool = False


@dataclass(frozen=True)
class Rules:
    """What the options say of files that are there, and of songs that need no restoration.

    Attributes:
        force: whether existing files are overwritten.
        library: whether outputs of other options or of an older input are made anew. That is what one wants of a
            library; a single file that is there may be a draw that somebody likes. (Draws of which others are missing
            are made anew in any case: they are the same draws.)
        below: restore only what has at most this bitrate, kbit/s; None: everything.
    """

    force: bool = False
    library: bool = False
    below: int | None = None


def at_once(
    source: Path, outputs: Sequence[Path], fingerprints: Sequence[str], rules: Rules
) -> Verdict | None:
    """The verdict from what is there; None where it takes a look into the input (see `after_a_look`).

    Args:
        source: the input.
        outputs: one file a seed; none for standard output.
        fingerprints: one an output, see batch.done.
        rules: what the options say.
    """
    if not outputs:
        return Verdict("restore")
    states = done.states(source, outputs, fingerprints)
    if done.together(states) == "done" and not rules.force:
        return Verdict("skip", "is done")
    return _restored(outputs, states, rules) if rules.below is None else None


def after_a_look(
    source: Path, outputs: Sequence[Path], copy: Path | None, fingerprints: Sequence[str], rules: Rules
) -> Verdict:
    """The verdict where there is --below, for what is not done. May decode the first minute of the input.

    Args:
        source, outputs, fingerprints, rules: as for `at_once`.
        copy: where the input goes if it is not restored; None for nowhere.

    Raises:
        DecodeError: the input is missing, or is no music.
    """
    from mp3fix.batch import choose

    below = rules.below or 0
    kbps = choose.bitrate(source)
    above = kbps is None or kbps > below
    if above and copy is not None and not rules.force and choose.is_copied(source, copy):
        return Verdict("skip", "is copied", copied=True)
    choice = choose.choose(source, kbps, below)
    if choice.restore:
        return _restored(outputs, done.states(source, outputs, fingerprints), rules, choice.reason)
    if copy is None:
        return Verdict("leave", choice.reason)
    ours = bool(done.read_own(copy))
    if os.path.lexists(copy) and not ours and not rules.force:
        advice = "if it is an old copy, remove it; --force overwrites it, and makes all others anew too"
        return Verdict("refuse", f"{shown(copy)} exists, and differs from {shown(source)}: {advice}")
    return Verdict("copy", choice.reason, overwrite=ours or rules.force)


def with_picture(found: Verdict, picture: Path, state: pictures.State, rules: Rules) -> Verdict:
    """The verdict on an input of whose restoration a picture is wanted.

    Args:
        found: the verdict without.
        picture: its place.
        state: what is there, by `pictures.state`.
        rules: what the options say.
    """
    if found.action not in ("restore", "skip") or found.copied:
        return found
    if state == "foreign" and not rules.force:
        return Verdict(
            "refuse", f"{shown(picture)} exists, and mp3fix did not draw it; --force overwrites it"
        )
    if state == "other" and not (rules.force or rules.library):
        return Verdict(
            "refuse", f"{shown(picture)} exists, and shows another restoration; --force overwrites it"
        )
    if found.action == "restore":
        return replace(found, overdraw=state != "absent")
    if state == "done":
        return found
    return Verdict("draw", "is done, but for its picture", overdraw=state != "absent")


def _restored(
    outputs: Sequence[Path], states: Sequence[done.State], rules: Rules, reason: str = ""
) -> Verdict:
    state = done.together(states)
    if state == "absent" or rules.force:
        return Verdict("restore", reason, overwrite=rules.force)
    if (
        state == "partial"
    ):  # what is there becomes what it was, unless those that were missing need another gain
        missing = states.count("absent")
        are = f"{missing} of {len(states)} draws {'is' if missing == 1 else 'are'} missing"
        return Verdict("restore", f"{are}, and all are made anew: they share one gain", overwrite=True)
    if state == "outdated" and rules.library:
        return Verdict("restore", "was made from another input or with other options", overwrite=True)
    made = "was not made by this command"
    if state == "outdated":
        made = "was made from another input or with other options"
    there = outputs[states.index(state)]
    return Verdict("refuse", f"{shown(there)} exists, and {made}; --force overwrites it")
