"""make demo: restores the bundled excerpt and shows what happened."""

from pathlib import Path

from mp3fix.report.picture import Shown, View, draw
from mp3fix.song import Target, restore_file

EXCERPT = Path(__file__).resolve().parents[2] / "tests" / "data" / "excerpt.mp3"
FOLDER = Path("demo")


def main() -> None:
    """Restore the excerpt into demo/ and draw it before and after."""
    FOLDER.mkdir(exist_ok=True)
    out, picture = FOLDER / "excerpt.flac", FOLDER / "excerpt.png"
    result = restore_file(EXCERPT, out, target=Target(overwrite=True))
    kbps = result.info.bitrate_kbps if result.info else 0
    before, after = Shown(EXCERPT, "before", "before"), Shown(out, "after: restored by mp3fix", "after")
    draw(picture, f"{EXCERPT.name}, MP3, {kbps} kbit/s", before, [after], View(), overwrite=True)
    print(f"bitrate    {kbps} kbit/s")
    print(
        f"cut-off    {result.cutoff_before / 1000:.1f} kHz before, {result.cutoff_after / 1000:.1f} kHz after"
    )
    print(f"length     {result.seconds:.1f} s of audio")
    print(f"speed      {result.seconds / result.elapsed:.0f} times real time ({result.elapsed:.1f} s)")
    print(f"restored   {out}")
    print(f"picture    {picture}")


if __name__ == "__main__":
    main()
