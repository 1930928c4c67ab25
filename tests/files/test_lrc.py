"""Timed lyrics."""

from mp3fix.files.lrc import from_lrc, to_lrc


def test_lines_with_and_without_line_ends() -> None:
    assert to_lrc([("One", 0), ("Two", 61_230)]) == "[00:00.00]One\n[01:01.23]Two"
    assert to_lrc([("\nOne", 0), ("\nTwo", 61_234)]) == "[00:00.00]One\n[01:01.234]Two"
    assert to_lrc([("One\r\n", 0), ("Two\r\n", 1000)]) == "[00:00.00]One\n[00:01.00]Two"


def test_words_continue_their_line() -> None:
    entries = [("\nLa ", 1000), ("la", 1500), ("\nOh", 2000)]
    text = to_lrc(entries)
    assert text == "[00:01.00]La <00:01.50>la\n[00:02.00]Oh"
    assert from_lrc(text) == entries


def test_what_lrc_files_contain_besides() -> None:
    text = "[ar:Someone]\n\n[00:01.5]One\n[00:03][00:02.123] Refrain \nno time\n[99:59.999]End"
    assert from_lrc(text) == [
        ("\nOne", 1500),
        ("\nRefrain ", 2123),
        ("\nRefrain ", 3000),
        ("\nEnd", 5_999_999),
    ]
