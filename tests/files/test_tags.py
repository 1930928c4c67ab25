"""Tags from every container into FLAC and WAV."""

import base64
import shutil
import struct
import subprocess
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen import id3
from mutagen.apev2 import APEBinaryValue, APEv2, APEValue
from mutagen.asf import ASF, ASFByteArrayAttribute
from mutagen.flac import FLAC
from mutagen.flac import Picture as FlacPicture
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from mutagen.wave import WAVE

from mp3fix.files import tags, wav
from mp3fix.files.tags import Chapter, Picture, Tags

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(255, 0, -1))
RATE = 44100
SECONDS = 2

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")


def song(folder: Path, name: str, subtype: str | None = None) -> Path:
    """Two seconds of noise in the format that the name says."""
    path = folder / name
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (SECONDS * RATE, 2))
    rate = 48000 if subtype == "OPUS" else RATE
    soundfile.write(path, noise, rate, subtype, format="OGG" if path.suffix == ".opus" else None)
    return path


def encoded_by_ffmpeg(folder: Path, name: str, *options: str) -> Path:
    source, path = song(folder, "source.wav"), folder / name
    command = ["ffmpeg", "-v", "error", "-y", "-i", source, *options, path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def carried(folder: Path, found: Tags, name: str, extra: dict[str, str] | None = None) -> Tags:
    """Written into a fresh file and read again; the samples must not change."""
    path = song(folder, name)
    before, _ = soundfile.read(path)
    assert tags.write(path, found, extra or {}) == []
    after, _ = soundfile.read(path)
    assert np.array_equal(before, after)
    again = tags.read(path)
    assert again.warnings == []
    return again


@pytest.fixture
def rich_mp3(tmp_path: Path) -> Path:
    """An MP3 with every kind of frame that is kept."""
    path = song(tmp_path, "rich.mp3")
    frames = id3.ID3()
    for frame in (
        id3.TIT2(encoding=3, text=["A title"]),
        id3.TPE1(encoding=3, text=["One", "Two; Three", "AC/DC"]),
        id3.TALB(encoding=3, text=["An album"]),
        id3.TPE2(encoding=3, text=["All of them"]),
        id3.TRCK(encoding=3, text=["03/12"]),
        id3.TPOS(encoding=3, text=["1/2"]),
        id3.TDRC(encoding=3, text=["2004-06-01T12:30"]),
        id3.TDOR(encoding=3, text=["1969"]),
        id3.TCON(encoding=3, text=["(17)", "Chiptune"]),
        id3.TCMP(encoding=3, text=["1"]),
        id3.TBPM(encoding=3, text=["128"]),
        id3.TXXX(encoding=3, desc="My own field", text=["x", "y"]),
        id3.TXXX(encoding=3, desc="MusicBrainz Album Id", text=["0123-45"]),
        id3.UFID(owner="http://musicbrainz.org", data=b"6789-ab"),
        id3.COMM(encoding=3, lang="eng", desc="", text=["A comment"]),
        id3.COMM(encoding=3, lang="deu", desc="", text=["Ein Kommentar"]),
        id3.COMM(encoding=3, lang="eng", desc="review", text=["Fine"]),
        id3.USLT(encoding=3, lang="fra", desc="", text="Sous le ciel\nde Paris"),
        id3.SYLT(
            encoding=3, lang="fra", format=2, type=1, desc="", text=[("Sous le ciel", 1234), ("de", 65000)]
        ),
        id3.POPM(email="someone", rating=196, count=7),
        id3.TIPL(encoding=3, people=[["producer", "P. One"], ["mix", "M. Two"]]),
        id3.TMCL(encoding=3, people=[["guitar", "G. Three"]]),
        id3.WOAR(url="http://example.org/artist"),
        id3.WXXX(encoding=3, desc="shop", url="http://example.org/shop"),
        id3.APIC(encoding=3, mime="image/jpg", type=3, desc="", data=JPEG),
        id3.APIC(encoding=3, mime="PNG", type=4, desc="", data=PNG),
        id3.APIC(encoding=3, mime="image/png", type=6, desc="The disc: déjà vu", data=PNG + b"2"),
        chapter("a", 0, 1000, "First", "http://example.org/a"),
        chapter("b", 1000, 1500, "2"),  # comes first in the file: mutagen sorts by size
        id3.CTOC(element_id="toc", flags=3, child_element_ids=["a", "b"], sub_frames=[]),
    ):
        frames._add(frame, False)
    frames.save(path)
    return path


def chapter(name: str, start: int, end: int, title: str, url: str = "") -> id3.CHAP:
    subs = [id3.TIT2(encoding=3, text=[title])] + ([id3.WXXX(encoding=3, desc="", url=url)] if url else [])
    return id3.CHAP(element_id=name, start_time=start, end_time=end, sub_frames=subs)


RICH = {
    "TITLE": ["A title"],
    "ARTIST": ["One", "Two; Three", "AC/DC"],
    "ALBUM": ["An album"],
    "ALBUMARTIST": ["All of them"],
    "TRACKNUMBER": ["03"],
    "TRACKTOTAL": ["12"],
    "DISCNUMBER": ["1"],
    "DISCTOTAL": ["2"],
    "DATE": ["2004-06-01T12:30"],
    "ORIGINALDATE": ["1969"],
    "GENRE": ["Rock", "Chiptune"],
    "COMPILATION": ["1"],
    "BPM": ["128"],
    "MY OWN FIELD": ["x", "y"],
    "MUSICBRAINZ_ALBUMID": ["0123-45"],
    "MUSICBRAINZ_TRACKID": ["6789-ab"],
    "COMMENT": ["A comment", "Ein Kommentar"],
    "COMMENT:REVIEW": ["Fine"],
    "LYRICS": ["Sous le ciel\nde Paris"],
    "SYNCEDLYRICS": ["[00:01.234]Sous le ciel\n[01:05.00]de"],
    "RATING": ["80"],
    "PLAYCOUNT": ["7"],
    "PRODUCER": ["P. One"],
    "MIXER": ["M. Two"],
    "PERFORMER": ["G. Three (guitar)"],
    "WEBSITE": ["http://example.org/artist"],
    "URL:SHOP": ["http://example.org/shop"],
}
RICH_PICTURES = [
    Picture(JPEG, "image/jpeg", 3, ""),
    Picture(PNG, "image/png", 4, ""),
    Picture(PNG + b"2", "image/png", 6, "The disc: déjà vu"),
]


def test_an_mp3_says_it_all(rich_mp3: Path) -> None:
    found = tags.read(rich_mp3)
    assert found.warnings == []
    assert found.values == RICH
    assert found.languages["COMMENT"] == ["eng", "deu"] and found.languages["LYRICS"] == ["fra"]
    assert found.pictures == RICH_PICTURES
    assert found.chapters == [
        Chapter(0.0, "First", 1.0, "http://example.org/a"),
        Chapter(1.0, "2", 1.5),
    ]


@pytest.mark.parametrize("name", ["out.flac", "out.wav"])
def test_everything_survives_the_way_into_the_output(rich_mp3: Path, tmp_path: Path, name: str) -> None:
    again = carried(tmp_path, tags.read(rich_mp3), name)
    assert again.values == RICH
    assert again.languages["COMMENT"] == ["eng", "deu"]
    assert again.languages["LYRICS"] == again.languages["SYNCEDLYRICS"] == ["fra"]
    assert again.pictures == RICH_PICTURES
    assert [(c.start, c.title, c.url) for c in again.chapters] == [
        (0.0, "First", "http://example.org/a"),
        (1.0, "2", ""),
    ]


def test_what_other_programs_look_for_in_a_flac(rich_mp3: Path, tmp_path: Path) -> None:
    path = song(tmp_path, "out.flac")
    tags.write(path, tags.read(rich_mp3), {})
    file = FLAC(path)
    assert file["tracknumber"] == ["03"] and file["tracktotal"] == ["12"]
    assert file["chapter001"] == ["00:00:00.000"] and file["chapter002"] == ["00:00:01.000"]
    assert file["chapter002name"] == ["2"]
    assert file["lyrics_language"] == ["fra"] and "comment:review_language" not in file
    assert [(p.type, p.mime, p.desc) for p in file.pictures][2] == (6, "image/png", "The disc: déjà vu")


def test_what_other_programs_look_for_in_a_wav(rich_mp3: Path, tmp_path: Path) -> None:
    path = song(tmp_path, "out.wav")
    tags.write(path, tags.read(rich_mp3), {})
    frames = WAVE(path).tags
    assert frames.version == (2, 4, 0)
    assert frames["TRCK"].text == ["03/12"] and frames["TPE1"].text == ["One", "Two; Three", "AC/DC"]
    assert frames["TXXX:MusicBrainz Album Id"].text == ["0123-45"]
    assert frames["POPM:no@email"].rating == 196 and frames["POPM:no@email"].count == 7
    assert frames["USLT::fra"].text.startswith("Sous") and frames["COMM::deu"].text == ["Ein Kommentar"]
    assert [(c.start_time, c.end_time) for c in frames.getall("CHAP")] == [(0, 1000), (1000, 1500)]
    assert frames.getall("CTOC")[0].child_element_ids == [c.element_id for c in frames.getall("CHAP")]


def test_the_last_chapter_ends_with_the_song(tmp_path: Path) -> None:
    path = song(tmp_path, "out.wav")
    tags.write(path, Tags(chapters=[Chapter(0, "a"), Chapter(1.25, "b")]), {})
    ends = [chapter.end_time for chapter in WAVE(path).tags.getall("CHAP")]
    assert ends == [1250, SECONDS * 1000]


def test_many_chapters_stay_in_order(tmp_path: Path) -> None:
    chapters = [Chapter(i / 1000, f"Chapter {'x' * (i % 7)}") for i in range(300)]
    for name in ("out.wav", "out.flac"):
        again = carried(tmp_path, Tags(chapters=chapters), name)
        assert [(c.start, c.title) for c in again.chapters] == [(c.start, c.title) for c in chapters]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(
    ("encoding", "text"), [(0, "Motörhead"), (1, "東京 \U0001f3b5"), (2, "Дорога"), (3, "東京 \U0001f3b5")]
)
def test_every_text_encoding_of_id3(tmp_path: Path, encoding: int, text: str, version: int) -> None:
    path = song(tmp_path, "in.mp3")
    frames = id3.ID3()
    frames.add(id3.TIT2(encoding=encoding, text=[text]))
    frames.add(id3.COMM(encoding=encoding, lang="eng", desc="", text=[text]))
    frames.add(id3.APIC(encoding=encoding, mime="image/png", type=3, desc=text, data=PNG))
    if version == 3:
        frames.update_to_v23()
    frames.save(path, v2_version=version)
    for name in ("out.flac", "out.wav"):
        again = carried(tmp_path, tags.read(path), name)
        assert again.values == {"TITLE": [text], "COMMENT": [text]}
        assert again.pictures[0].description == text


def test_a_date_of_id3v23(tmp_path: Path) -> None:
    path = song(tmp_path, "in.mp3")
    frames = id3.ID3()
    frames.add(id3.TYER(encoding=0, text=["1999"]))
    frames.add(id3.TDAT(encoding=0, text=["3112"]))
    frames.save(path, v2_version=3)
    assert tags.read(path).values["DATE"] == ["1999-12-31"]


def test_a_date_that_is_none_is_kept_as_text(tmp_path: Path) -> None:
    assert carried(tmp_path, Tags(values={"DATE": ["c. 1970"]}), "out.wav").values == {"DATE": ["c. 1970"]}


def test_lyrics_timed_in_mpeg_frames(tmp_path: Path) -> None:
    path = song(tmp_path, "in.mp3")
    frames = id3.ID3()
    frames.add(id3.SYLT(encoding=0, lang="eng", format=1, type=1, desc="", text=[("la", 1000)]))
    frames.save(path)
    seconds = 1000 * 1152 / RATE
    assert tags.read(path).values["SYNCEDLYRICS"] == [f"[00:{seconds:06.3f}]la"]


STALE = [
    *(
        "REPLAYGAIN_TRACK_GAIN",
        "replaygain_album_peak",
        "R128_TRACK_GAIN",
        "MP3GAIN_MINMAX",
        "iTunSMPB",
        "iTunNORM",
    ),
    *("ENCODER", "Encoded-by", "ENCODED_BY", "encoder settings", "ENCODING", "LENGTH", "TLEN", "FILESIZE"),
    *("ACCURATERIPRESULT", "AccurateRipDiscID", "major_brand", "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"),
]


@pytest.mark.parametrize("kind", ["mp3", "ape", "ogg", "flac"])
def test_what_speaks_of_the_old_file_is_dropped(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, "in.mp3" if kind == "ape" else f"in.{kind}")
    if kind == "mp3":
        frames = id3.ID3()
        for name in STALE:
            frames.add(id3.TXXX(encoding=3, desc=name, text=["1"]))
        frames.add(id3.COMM(encoding=0, lang="eng", desc="iTunSMPB", text=[" 00000000 00000210"]))
        frames.add(id3.COMM(encoding=0, lang="eng", desc="iTunNORM", text=[" 00000210"]))
        frames.add(id3.TSSE(encoding=0, text=["LAME 3.100"]))
        frames.add(id3.TENC(encoding=0, text=["A program"]))
        frames.add(id3.TLEN(encoding=0, text=["2000"]))
        frames.add(id3.TDTG(encoding=0, text=["2010"]))
        frames.add(id3.TFLT(encoding=0, text=["MPG/3"]))
        frames.add(id3.TIT2(encoding=0, text=["Kept"]))
        frames.save(path)
    elif kind == "ape":
        items = APEv2()
        for name in [*STALE, "Title"]:
            items[name] = "Kept"
        items.save(path)
    else:
        file = mutagen.File(path)
        for name in [*STALE, "TITLE"]:
            file[name] = "Kept"
        file.save()
    assert tags.read(path).values == {"TITLE": ["Kept"]}


@pytest.mark.parametrize("name", ["in.ogg", "in.opus", "in.flac"])
def test_vorbis_comments(tmp_path: Path, name: str) -> None:
    path = song(tmp_path, name, "OPUS" if name == "in.opus" else None)
    file = mutagen.File(path)
    picture = FlacPicture()
    picture.data, picture.mime, picture.type, picture.desc = PNG, "image/png", 3, "Cover"
    if name == "in.flac":
        file.add_picture(picture)
    else:
        file["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
        file["coverart"] = base64.b64encode(JPEG).decode()
    file["artist"] = ["One", "Two"]
    file["Album Artist"] = "All"
    file["TRACKNUMBER"] = "3/12"
    file["YEAR"], file["DATE"] = "1999", "1999-12-31"
    file["UNSYNCEDLYRICS"] = "la\nla"
    file["CHAPTER001"], file["CHAPTER001NAME"] = "00:00:00.000", "First"
    file["CHAPTER002"], file["CHAPTER002NAME"] = "01:02:03.500", "Second"
    file.save()
    found = tags.read(path)
    assert found.values == {
        **{"ARTIST": ["One", "Two"], "ALBUMARTIST": ["All"], "TRACKNUMBER": ["3"], "TRACKTOTAL": ["12"]},
        **{"DATE": ["1999-12-31"], "LYRICS": ["la\nla"]},
    }
    assert found.pictures[0] == Picture(PNG, "image/png", 3, "Cover")
    assert len(found.pictures) == (1 if name == "in.flac" else 2)
    assert found.chapters == [Chapter(0.0, "First"), Chapter(3723.5, "Second")]
    again = carried(tmp_path, found, "out.wav")
    assert again.values == found.values and again.pictures == found.pictures
    assert [c.start for c in again.chapters] == [0.0, 3723.5]


@needs_ffmpeg
@pytest.mark.ffmpeg
def test_mp4(tmp_path: Path) -> None:
    chapters = tmp_path / "chapters.txt"
    marks = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
        for start, end, title in ((0, 750, "Intro"), (750, 2000, "Thème"))
    )
    chapters.write_text(";FFMETADATA1\n" + marks, "utf-8")
    path = encoded_by_ffmpeg(tmp_path, "in.m4a", "-i", str(chapters), "-map_metadata", "1")
    file = MP4(path)
    file["\xa9nam"], file["\xa9ART"] = "A title", ["One", "Two"]
    file["trkn"], file["disk"], file["cpil"], file["tmpo"] = [(3, 12)], [(1, 0)], True, [128]
    file["\xa9day"], file["\xa9too"], file["\xa9lyr"] = "2004-06-01T07:00:00Z", "An encoder", "la"
    file["covr"] = [MP4Cover(JPEG, MP4Cover.FORMAT_JPEG), MP4Cover(PNG, MP4Cover.FORMAT_PNG)]
    file["----:com.apple.iTunes:iTunSMPB"] = MP4FreeForm(b" 00000000 00000840")
    file["----:com.apple.iTunes:My own field"] = [MP4FreeForm(b"x"), MP4FreeForm("ÿ".encode())]
    file["----:com.apple.iTunes:MusicBrainz Track Id"] = MP4FreeForm(b"6789-ab")
    file["----:com.apple.iTunes:binary"] = [MP4FreeForm(b"\xff\xfe"), MP4FreeForm(b"a\0b")]
    file["apID"] = "someone@example.org"
    file.save()
    found = tags.read(path)
    assert found.values == {
        **{"TITLE": ["A title"], "ARTIST": ["One", "Two"], "TRACKNUMBER": ["3"], "TRACKTOTAL": ["12"]},
        **{"DISCNUMBER": ["1"], "COMPILATION": ["1"], "BPM": ["128"], "DATE": ["2004-06-01T07:00:00Z"]},
        **{"LYRICS": ["la"], "MY OWN FIELD": ["x", "ÿ"], "MUSICBRAINZ_TRACKID": ["6789-ab"]},
    }
    assert found.pictures == [Picture(JPEG, "image/jpeg"), Picture(PNG, "image/png")]
    assert found.chapters == [Chapter(0.0, "Intro"), Chapter(0.75, "Thème")]
    again = carried(tmp_path, found, "out.flac")
    assert again.values == found.values and again.chapters == found.chapters


@needs_ffmpeg
@pytest.mark.ffmpeg
def test_asf(tmp_path: Path) -> None:
    path = encoded_by_ffmpeg(tmp_path, "in.wma")
    file = ASF(path)
    text = "image/png\0Cover ö\0".encode("utf-16-le")
    file["WM/Picture"] = ASFByteArrayAttribute(struct.pack("<BI", 3, len(PNG)) + text + PNG)
    file["Title"], file["Author"] = "A title", ["One", "Two"]
    file["WM/AlbumTitle"], file["WM/Year"], file["WM/TrackNumber"] = "An album", "2004", 3
    file["WM/SharedUserRating"], file["WM/EncodingSettings"] = 75, "48 kbps"
    file["WM/PartOfSet"], file["MusicBrainz/Album Id"], file["My own"] = "1/2", "0123-45", "field"
    file.save()
    found = tags.read(path)
    assert found.values == {
        **{"TITLE": ["A title"], "ARTIST": ["One", "Two"], "ALBUM": ["An album"], "DATE": ["2004"]},
        **{"TRACKNUMBER": ["3"], "RATING": ["80"], "DISCNUMBER": ["1"], "DISCTOTAL": ["2"]},
        **{"MUSICBRAINZ_ALBUMID": ["0123-45"], "MY OWN": ["field"]},
    }
    assert found.pictures == [Picture(PNG, "image/png", 3, "Cover ö")]
    for size in (1 << 30, 5 + len(text) + 2):
        file["WM/Picture"] = ASFByteArrayAttribute(struct.pack("<BI", 3, size) + text)
        file.save()
        broken = tags.read(path)
        assert broken.values == found.values and broken.pictures == []
        assert broken.warnings == ["a picture in the tags is broken"]


def test_an_apev2_tag_behind_an_mp3_adds_to_its_id3_tag(tmp_path: Path) -> None:
    path = song(tmp_path, "in.mp3")
    items = APEv2()
    items["Title"], items["Artist"], items["Track"] = "Other", ["One", "Two"], "3/12"
    items["Year"], items["MP3GAIN_UNDO"] = "1999", "+003,+003,N"
    items["Cover Art (Back)"] = APEBinaryValue(b"Cover Art (Back).png\0" + PNG)
    items["Homepage"] = APEValue("http://example.org", 2)
    items.save(path)
    frames = id3.ID3()
    frames.add(id3.TIT2(encoding=3, text=["A title"]))
    frames.save(path)
    found = tags.read(path)
    assert found.values == {
        **{"TITLE": ["A title"], "ARTIST": ["One", "Two"], "TRACKNUMBER": ["3"], "TRACKTOTAL": ["12"]},
        **{"DATE": ["1999"], "HOMEPAGE": ["http://example.org"]},
    }
    assert found.pictures == [Picture(PNG, "image/png", 4, "")]


def test_id3v1_alone_and_beside_id3v2(tmp_path: Path) -> None:
    comment = "A comment that is longer than twenty-eight letters"
    fields = b"A title", "Motörhead".encode("latin-1"), b"", b"1999", comment.encode()
    v1 = b"TAG" + struct.pack("30s30s30s4s28s", *fields) + bytes([0, 3, 17])
    expected = {"TITLE": ["A title"], "ARTIST": ["Motörhead"], "DATE": ["1999"], "TRACKNUMBER": ["3"]}
    for kept, has_v2 in ((comment[:28], False), (comment, True)):
        path = song(tmp_path, "in.mp3")
        if has_v2:
            frames = id3.ID3()
            frames.add(id3.COMM(encoding=0, lang="eng", desc="", text=[comment]))
            frames.save(path)
        with open(path, "ab") as file:
            file.write(v1)
        assert tags.read(path).values == expected | {"GENRE": ["Rock"], "COMMENT": [kept]}


@pytest.mark.parametrize("name", ["in.wav", "in.aiff"])
def test_id3_inside_wav_and_aiff(tmp_path: Path, name: str) -> None:
    path = song(tmp_path, name)
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(id3.TIT2(encoding=3, text=["A title"]))
    file.save()
    assert tags.read(path).values == {"TITLE": ["A title"]}


def test_the_info_list_of_a_wav(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        file.title, file.artist, file.tracknumber, file.software = "A title", "Motörhead", "3", "A program"
        file.write(np.zeros(100))
    assert tags.read(path).values == {"TITLE": ["A title"], "ARTIST": ["Motörhead"], "TRACKNUMBER": ["3"]}


def test_tags_before_audio_that_mutagen_cannot_parse(tmp_path: Path) -> None:
    path = tmp_path / "in.mp3"
    path.write_bytes(b"\0" * 4000)
    frames = id3.ID3()
    frames.add(id3.TIT2(encoding=3, text=["A title"]))
    frames.add(chapter("a", 500, 1000, "First"))
    frames.save(path)
    found = tags.read(path)
    assert found.values == {"TITLE": ["A title"]} and found.warnings == []
    assert found.chapters == [Chapter(0.5, "First", 1.0)]


def test_extra_tags_replace_those_of_an_earlier_restoration(tmp_path: Path) -> None:
    earlier = Tags(values={"TITLE": ["A title"], "MP3FIX_SEED": ["1"], "MP3FIX_OLD": ["x"]})
    for name in ("out.flac", "out.wav"):
        again = carried(tmp_path, earlier, name, {"MP3FIX_SEED": "7", "MP3FIX_MODEL": "music"})
        assert again.values == {"TITLE": ["A title"], "MP3FIX_SEED": ["7"], "MP3FIX_MODEL": ["music"]}


def test_a_big_cover(tmp_path: Path) -> None:
    cover = Picture(PNG + bytes(6_000_000), "image/png")
    for name in ("out.flac", "out.wav"):
        assert carried(tmp_path, Tags(pictures=[cover]), name).pictures == [cover]


def test_a_cover_beyond_what_flac_holds(tmp_path: Path) -> None:
    found = Tags(values={"TITLE": ["A title"]}, pictures=[Picture(PNG + bytes(2**24)), Picture(JPEG)])
    path = song(tmp_path, "out.flac")
    warnings = tags.write(path, found, {})
    assert len(warnings) == 1 and "17 MB" in warnings[0] and "16 MB" in warnings[0]
    assert tags.read(path).values == found.values and tags.read(path).pictures == found.pictures[1:]
    assert carried(tmp_path, found, "out.wav").pictures == found.pictures


def test_names_that_ascii_cannot_spell(tmp_path: Path) -> None:
    found = Tags()
    found.add("Настроение", "light")
    found.add("Größe", "big")
    assert carried(tmp_path, found, "out.flac").values == {
        "COMMENT": ["НАСТРОЕНИЕ: light"],
        "GROSSE": ["big"],
    }
    assert carried(tmp_path, found, "out.wav").values == found.values


def test_what_does_not_fit_its_id3_frame_is_kept_as_text(tmp_path: Path) -> None:
    odd = {
        "URL:SHOP": ["http://例え.jp"],
        "WEBSITE": ["http://例え.jp"],
        "RATING": ["good"],
        "PLAYCOUNT": ["many"],
    }
    assert carried(tmp_path, Tags(values=odd), "out.wav").values == odd


@pytest.mark.parametrize(
    ("text", "percent"), [("0.8", "80"), ("4", "80"), ("80", "80"), ("50", "50"), ("100", "100")]
)
def test_ratings_on_other_scales(tmp_path: Path, text: str, percent: str) -> None:
    assert carried(tmp_path, Tags(values={"RATING": [text]}), "out.wav").values == {"RATING": [percent]}


def test_text_that_no_container_can_hold_is_mended(tmp_path: Path) -> None:
    found = Tags()
    found.add("TITLE", "a\ud800b\0c\x07d")
    for name in ("out.flac", "out.wav"):
        assert carried(tmp_path, found, name).values == {"TITLE": ["a?bcd"]}


@pytest.mark.parametrize("name", ["rich.mp3", "rich.flac", "rich.ogg", "rich.wav"])
def test_broken_bytes_never_raise(rich_mp3: Path, tmp_path: Path, name: str) -> None:
    path = rich_mp3 if name == "rich.mp3" else song(tmp_path, name)
    if name == "rich.ogg":
        file = mutagen.File(path)
        file.tags.update({key: values for key, values in RICH.items()})
        file.save()
    elif name != "rich.mp3":
        tags.write(path, tags.read(rich_mp3), {})
    whole = path.read_bytes()
    random = np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(whole)
        area = len(whole) if name == "rich.wav" else 4000
        for place in random.integers(0, area, 20):
            broken[place] = random.integers(0, 256)
        path.write_bytes(broken[: random.integers(1, area)])
        found = tags.read(path)
        out = song(tmp_path, "out.flac")
        tags.write(out, found, {"MP3FIX_SEED": "0"})
        assert FLAC(out)["MP3FIX_SEED"] == ["0"]


def test_a_broken_tag_is_a_warning(tmp_path: Path) -> None:
    path = song(tmp_path, "in.mp3")
    path.write_bytes(b"ID3\x09\0\0\0\0\0\x10" + bytes(16) + path.read_bytes())
    found = tags.read(path)
    assert not found and len(found.warnings) == 1 and "\n" not in found.warnings[0]


def test_one_frame_that_cannot_be_written_does_not_take_the_others_along(tmp_path: Path) -> None:
    path = song(tmp_path, "out.wav")
    found = Tags(values={"TITLE": ["A title"]}, pictures=[Picture(PNG, "image/日本", 3)])
    object.__setattr__(found.pictures[0], "mime", "image/日本")
    warnings = tags.write(path, found, {})
    assert len(warnings) == 1 and "APIC" in warnings[0]
    assert tags.read(path).values == {"TITLE": ["A title"]}


def test_a_wav_beyond_4_gb_keeps_its_tags(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    frames = 1_200_000_000  # 4.8 GB of zeros that the file system does not store
    path.write_bytes(wav.header(RATE, 2, "16", frames))
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size + frames * 4)
    assert tags.write(path, Tags(values={"TITLE": ["A title"]}, chapters=[Chapter(0, "All")]), {}) == []
    assert soundfile.info(path).frames == frames
    with open(path, "rb") as file:
        head = file.read(36)
        file.seek(-len(b"A title") - 200, 2)
        end = file.read()
    assert head[:4] == b"RF64" and struct.unpack_from("<Q", head, 20)[0] == path.stat().st_size - 8
    assert b"A title" in end and b"id3 " in end


@needs_ffmpeg
@pytest.mark.ffmpeg
@pytest.mark.parametrize("name", ["out.flac", "out.wav"])
def test_another_reader_sees_them(rich_mp3: Path, tmp_path: Path, name: str) -> None:
    path = song(tmp_path, name)
    tags.write(path, tags.read(rich_mp3), {"MP3FIX_MODEL": "music"})
    command = ["ffprobe", "-v", "error", "-show_format", "-show_chapters", "-show_streams", path]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout.lower()
    for expected in ("tag:title=a title", "tag:mp3fix_model=music", "my own field=x"):
        assert expected in text
    assert text.count("codec_name=mjpeg") == 1 and text.count("codec_name=png") == 2
    if name == "out.wav":
        assert text.index("tag:title=first") < text.index("tag:title=2")
