"""Files that tell a decoder to open others, or addresses: nothing is opened, whatever their names."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import mp3s
import pytest
import soundfile
from kinds import written

from mp3fix.errors import DecodeError
from mp3fix.files import ffmpeg
from mp3fix.files.decode import open_decoder

pytestmark = pytest.mark.ffmpeg


class Listener:
    """A server that only notes who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                visitor = self._socket.accept()[0]
            except OSError:
                return
            visitor.settimeout(1)
            if visitor.recv(1000) == b"end":
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"end")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def references(place: str) -> dict[str, bytes]:
    """Files that refer to a place, by format."""
    where = place.encode()
    media = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n" % where
    key = b'#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="%s"\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n'
    return {
        "HLS": media,
        "HLS with a key": key % (where, where),
        "ffconcat": b"ffconcat version 1.0\nfile '%s'\n" % where,
        "M3U": b"#EXTM3U\n%s\n" % where,
        "plain M3U": where + b"\n",
        "PLS": b"[playlist]\nFile1=%s\n" % where,
        "XSPF": b"<?xml version='1.0'?><playlist><trackList><track><location>%s</location>" % where,
        "DASH": b"<?xml version='1.0'?><MPD><BaseURL>%s</BaseURL></MPD>" % where,
        "ASX": b'<asx version="3.0"><entry><ref href="%s"/></entry></asx>' % where,
        "ASF reference": b"[Reference]\nRef1=%s\n" % where,
        "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", references(""))
@pytest.mark.parametrize("name", ["song.mp3", "song.m3u8"])
def test_nothing_else_is_opened(kind: str, name: str, listener: Listener, tmp_path: Path) -> None:
    program = ffmpeg.find()
    assert program is not None
    secret = tmp_path / "secret.wav"
    soundfile.write(secret, mp3s.music(44100, 44100).T, 44100)
    path = tmp_path / name
    for place in (f"http://127.0.0.1:{listener.port}/song.ts", secret.name):
        path.write_bytes(references(place)[kind])
        with pytest.raises(DecodeError, match=r"is a (playlist|text file)"):
            open_decoder(path)
        # Whoever gets past that does not get past the options of ffmpeg.
        with pytest.raises(DecodeError, match="no audio"):
            ffmpeg.FfmpegSource(program, path)
        path.write_bytes(references(place)[kind] + b"\x01\xff")  # no text any more
        with pytest.raises(DecodeError):
            open_decoder(path)
    assert listener.visits == 0


def test_the_bait_would_work(listener: Listener, tmp_path: Path) -> None:
    """An ffmpeg without our options goes there: so the test above tests something."""
    program = ffmpeg.find()
    assert program is not None
    path = tmp_path / "song.m3u8"
    path.write_bytes(references(f"http://127.0.0.1:{listener.port}/song.ts")["HLS"])
    command = [program, "-v", "error", "-nostdin", "-protocol_whitelist", "file,http,tcp", "-i", path]
    subprocess.run([*command, "-f", "null", "-"], capture_output=True)
    assert listener.visits


def test_a_picture_by_address_is_not_fetched(listener: Listener, tmp_path: Path) -> None:
    """Tags may hold the address of a cover."""
    from mutagen.flac import FLAC
    from tags_around import frame, id3

    from mp3fix.files import tags

    address = f"http://127.0.0.1:{listener.port}/cover.jpg".encode()
    path = tmp_path / "song.mp3"
    path.write_bytes(id3(3, frame(3, b"APIC", b"\0-->\0\x03\0" + address)) + written("WAV"))
    out = tmp_path / "out.flac"
    out.write_bytes(written("FLAC"))
    tags.write(out, tags.read(path), {})
    assert [picture.data for picture in FLAC(out).pictures] == [address]
    assert listener.visits == 0
