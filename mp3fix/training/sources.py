"""The openly licensed music and samples of the corpus: Debian packages, pinned."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One Debian package with music or samples in it.

    Attributes:
        package: name in the Debian archive (bookworm).
        version: the pinned version.
        sha256: checksum of that version's .deb.
        licence: licences of the audio, as the package's copyright file states them.
        kind: "music" (pieces), "samples" (loops and one-shots) or "sound font".
        category: what most of it is; the summary counts hours by it.
        archive: path of a zip file inside the package that holds the music, and the folder inside that; or none.
        left_out: file names that are no music (effects, speech).
    """

    package: str
    version: str
    sha256: str
    licence: str
    kind: str
    category: str
    archive: tuple[str, str] | None = None
    left_out: tuple[str, ...] = ()


SOURCES = (
    Source(
        "warzone2100-music",
        "4.3.3-3",
        "d3b2c9f90ea5438d45d4aff18339a03ec808e1affa9dac91f7dad61cb15ee64e",
        "GPL-2+, CC-BY-SA-3.0, CC0",
        "music",
        "electronic",
    ),
    Source(
        "wesnoth-1.16-music",
        "1:1.16.9-1",
        "f9bc3cde92b4ab30db5d7b85f89b4bcc3d788dd92602956d0347250850bf59bb",
        "GPL-2+",
        "music",
        "orchestral",
    ),
    Source(
        "singularity-music",
        "007-2",
        "139ba1e408eeb0a72f1fff3760ca46558b9f81bed97dc8c0efa108c4007f4845",
        "CC-BY-SA (Creative Commons, full text in the package)",
        "music",
        "electronic",
    ),
    Source(
        "supertuxkart-data",
        "1.4+dfsg-2",
        "568d69cda50dc8ad1facb89514bd14953dfca736fdb83c49ae330b0aa7dd2364",
        "CC-BY-SA-3.0, CC-BY-SA-4.0, CC-BY-3.0, CC0, GPL",
        "music",
        "pop or rock",
        left_out=("steamLocomotive.ogg", "nolok_speech.ogg"),
    ),
    Source(
        "megaglest-data",
        "3.13.0-3",
        "ed4783d9fc78e201a548b266f7c30325eb16cfd58a20bf4597dd6e622f84a07e",
        "CC-BY-SA-3.0",
        "music",
        "cinematic",
    ),
    Source(
        "fretsonfire-songs-sectoid",
        "1.dfsg-3.1",
        "14c1ed3e43c1a6a80eae7698f0469a0825cd1184e441968d62df89ca418aa0b4",
        "MIT",
        "music",
        "pop or rock",
    ),
    Source(
        "fretsonfire-songs-muldjord",
        "2.dfsg-2.1",
        "b37adf8b08b46d4182c283e760e4f40622d83674e05803960ea1e11a92600c7b",
        "CC-BY-SA-3.0",
        "music",
        "vocals",
    ),
    Source(
        "hydrogen-drumkits",
        "2017.09.19~dfsg-1",
        "6ea3c6df9a67762e2362f946c695e619859126b19fbccf32a2e8f07dfd03b2f4",
        "GPL-2+, CC-BY-3.0, CC-BY-SA-3.0, CC0",
        "samples",
        "samples",
    ),
    Source(
        "sonic-pi-samples",
        "3.2.2~repack-8",
        "25f2312d2fae005e6ad0f4726b8ed3084e776006a5a132083506e960224ac79d",
        "CC0",
        "samples",
        "samples",
        left_out=("rand-stream.wav",),
    ),
    Source(
        "lmms-common",
        "1.2.2+dfsg1-6",
        "7d9aa55dd05f11edc57104203ee1c350e3e41f8936ab3741da2bb1158fd46c37",
        "GPL-2+, CC-BY-SA, CC0",
        "samples",
        "samples",
    ),
    Source(
        "marsshooter-data",
        "0.7.6-7",
        "b8d040a9739434f2be96bbf9b38f0743d56d59b853647b2242f9357e38394951",
        "CC-BY-SA-3.0",
        "music",
        "vocals",
    ),
    Source(
        "0ad-data",
        "0.0.26-1",
        "53745ae74d05bccf6783400fa98f3932b21729ab9d2e86151aa2c331c3455178",
        "CC-BY-SA-3.0",
        "music",
        "orchestral",
        archive=("usr/share/games/0ad/mods/public/public.zip", "audio/music/"),
        left_out=("0_8Bit_Bonus_Track.ogg",),
    ),
    Source(
        "ufoai-music",
        "2.5-2",
        "2465d55e9dce75a3a2a1ad1c8ca67da84e251c04e0965d63a8562b2d9f76f9e6",
        "CC-BY-SA-3.0, CC-BY-3.0, GPL-2, public domain",
        "music",
        "pop or rock",
        archive=("usr/share/games/ufoai/base/0music.pk3", "music/"),
    ),
    Source(
        "nexuiz-music",
        "2.5.2-12",
        "d1a7d6e2c0a5bbe6670dbf73354e38f742597310d425e373250fc71a636f8dda",
        "GPL-2+",
        "music",
        "pop or rock",
        archive=("usr/share/games/nexuiz/data/music.pk3", "sound/cdtracks/"),
        left_out=("thunder.ogg",),
    ),
    Source(
        "supertux-data",
        "0.6.3-2",
        "a6ad8865972f1dbb5e7b49f4e1b381dd16a68f3028a3502cfeaca2400285d27f",
        "GPL-2+",
        "music",
        "pop or rock",
    ),
    Source(
        "hedgewars-data",
        "1.0.2-6",
        "722225903a72604403e6e0026e40e9a6953f47a74d94efc5f55504bc05bb4761",
        "GPL-2",
        "music",
        "pop or rock",
    ),
    Source(
        "hyperrogue-music",
        "12.0q-1",
        "61ab9f4c2169442d85f42c42d26e80c1a18b93c741f3d44f1b9d83015904e7f7",
        "CC-BY-SA-3.0",
        "music",
        "electronic",
    ),
    Source(
        "fluid-soundfont-gm",
        "3.1-5.3",
        "6f531493ac4e4d9772fd96b2488ea1790af81c196135fbdd25997da0781fc60e",
        "MIT",
        "sound font",
        "sound font",
    ),
    Source(
        "csound-soundfont",
        "1:6.18.1+dfsg-1",
        "0d05bec0cff2486f4537dd0236fece99f3565b62959717f82e975be8e0cf1393",
        "public domain",
        "sound font",
        "sound font",
    ),
)
