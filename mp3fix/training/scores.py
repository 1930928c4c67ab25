"""Scores to render: compositions in the public domain, as music21's corpus has them, and who plays them.

Only pitches, onsets and durations are taken from the encodings. Fluid's organ, clarinet and guitar play test pieces and
nothing else, so that a test does not hear the very samples that training heard.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """A composition.

    Attributes:
        title: composer and title.
        files: paths in music21's corpus, played one after the other.
        tempo: quarters a minute.
        parts: the parts that play, counted from 0 (solo works take some of a score); none: all.
    """

    title: str
    files: tuple[str, ...]
    tempo: float
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ensemble:
    """Who plays.

    Attributes:
        programs: General MIDI programs (0..127) for each part; a part may have several in unison.
        category: what the result is.
        kit: General MIDI drum kit that plays along, or none.
        font: the package whose sound font they play with.
    """

    programs: tuple[tuple[int, ...], ...]
    category: str
    kit: int | None = None
    font: str = "fluid-soundfont-gm"


def _bach(*numbers: str) -> tuple[str, ...]:
    return tuple(f"bach/bwv{number}" for number in numbers)


def _ryan(*tunes: str) -> tuple[str, ...]:
    return tuple(f"ryansMammoth/{tune}.abc" for tune in tunes)


def _quartet(folder: str, *movements: int) -> tuple[str, ...]:
    return tuple(f"{folder}/movement{movement}.mxl" for movement in movements)


WORKS: dict[str, Work] = {
    "schumann-clara-polonaise-1": Work(
        "Clara Schumann, Polonaise op. 1 no. 1", ("schumann_clara/polonaise_op1n1.mxl",), 96
    ),
    "schumann-clara-polonaise-2": Work(
        "Clara Schumann, Polonaise op. 1 no. 2", ("schumann_clara/polonaise_op1n2.mxl",), 92
    ),
    "schumann-clara-polonaise-3": Work(
        "Clara Schumann, Polonaise op. 1 no. 3", ("schumann_clara/polonaise_op1n3.mxl",), 100
    ),
    "schumann-clara-polonaise-4": Work(
        "Clara Schumann, Polonaise op. 1 no. 4", ("schumann_clara/polonaise_op1n4.mxl",), 94
    ),
    "schumann-clara-trio": Work(
        "Clara Schumann, Piano Trio op. 17, third movement", ("schumann_clara/opus17/movement3.xml",), 66
    ),
    "weber-concertino": Work(
        "Weber, Concertino for Clarinet op. 26", ("weber/concertino_clarinet.mxl",), 104
    ),
    "chopin-mazurka-6-2": Work("Chopin, Mazurka op. 6 no. 2", ("chopin/mazurka06-2.krn",), 132),
    "joplin-maple-leaf": Work("Joplin, Maple Leaf Rag", ("joplin/maple_leaf_rag.mxl",), 84),
    "handel-lascia": Work("Handel, Lascia ch'io pianga", ("handel/rinaldo/Lascia_chio_pianga.mxl",), 66),
    "schubert-lindenbaum": Work("Schubert, Der Lindenbaum", ("schubert/Lindenbaum.xml",), 76),
    "johnson-lift": Work(
        "J. R. Johnson, Lift Every Voice and Sing", ("johnson_j_r/lift_every_voice.mxl",), 96
    ),
    "liliuokalani-aloha": Work("Liliuokalani, Aloha Oe", ("liliuokalani/aloha_oe.mxl",), 84),
    "corelli-sonata": Work("Corelli, Sonata op. 3 no. 1, Grave", ("corelli/opus3no1/1grave.xml",), 60),
    "bach-chorales-a": Work(
        "Bach, chorales", _bach("66.6", "10.7", "26.6", "40.8", "57.8", "64.8", "86.6"), 72
    ),
    "bach-chorales-b": Work(
        "Bach, chorales", _bach("1.6", "101.7", "102.7", "103.6", "104.6", "108.6", "110.7"), 76
    ),
    "bach-chorales-c": Work(
        "Bach, chorales", _bach("111.6", "113.8", "114.7", "115.6", "116.6", "117.4", "119.9"), 70
    ),
    "bach-chorales-d": Work(
        "Bach, chorales", _bach("120.6", "121.6", "122.6", "123.6", "124.6", "125.6", "126.6"), 92
    ),
    "bach-chorales-e": Work(
        "Bach, chorales", _bach("127.5", "128.5", "13.6", "130.6", "133.6", "135.6", "136.6"), 84
    ),
    "bach-chorales-f": Work(
        "Bach, chorales", _bach("139.6", "14.5", "140.7", "144.3", "145.5", "146.8", "148.6"), 100
    ),
    "monteverdi-madrigals": Work(
        "Monteverdi, madrigals, book 3", tuple(f"monteverdi/madrigal.3.{n}.mxl" for n in (1, 2)), 100
    ),
    "mozart-k80": Work("Mozart, Quartet K. 80", _quartet("mozart/k80", 1, 2), 84),
    "mozart-k155": Work("Mozart, Quartet K. 155", _quartet("mozart/k155", 1), 126),
    "mozart-k155-3": Work("Mozart, Quartet K. 155, finale", _quartet("mozart/k155", 2, 3), 100),
    "mozart-k156": Work("Mozart, Quartet K. 156", _quartet("mozart/k156", 1, 2), 112),
    "mozart-k458": Work("Mozart, Quartet K. 458", _quartet("mozart/k458", 1), 150),
    "mozart-k458-4": Work("Mozart, Quartet K. 458, finale", _quartet("mozart/k458", 4), 132),
    "haydn-1-1": Work("Haydn, Quartet op. 1 no. 1", _quartet("haydn/opus1no1", 1, 2), 132),
    "haydn-1-1-3": Work("Haydn, Quartet op. 1 no. 1, Adagio", _quartet("haydn/opus1no1", 3), 60),
    "haydn-74-1": Work("Haydn, Quartet op. 74 no. 1", _quartet("haydn/opus74no1", 1), 126),
    "haydn-74-1-2": Work("Haydn, Quartet op. 74 no. 1, Andantino", _quartet("haydn/opus74no1", 2, 3), 100),
    "beethoven-18-1": Work("Beethoven, Quartet op. 18 no. 1", _quartet("beethoven/opus18no1", 1), 150),
    "beethoven-18-1-4": Work(
        "Beethoven, Quartet op. 18 no. 1, finale", _quartet("beethoven/opus18no1", 4), 104
    ),
    "beethoven-18-1-solo": Work(
        "Beethoven, Quartet op. 18 no. 1, first violin", _quartet("beethoven/opus18no1", 3), 160, (0,)
    ),
    "mozart-k155-solo": Work("Mozart, Quartet K. 155, first violin", _quartet("mozart/k155", 1), 120, (0,)),
    "mozart-k458-solo": Work("Mozart, Quartet K. 458, first violin", _quartet("mozart/k458", 4), 120, (0,)),
    "haydn-1-1-solo": Work(
        "Haydn, Quartet op. 1 no. 1, first violin", _quartet("haydn/opus1no1", 1, 2), 120, (0,)
    ),
    "haydn-74-1-bass": Work("Haydn, Quartet op. 74 no. 1, cello", _quartet("haydn/opus74no1", 1), 120, (3,)),
    "schumann-41-1-solo": Work(
        "Schumann, Quartet op. 41 no. 1, first violin", _quartet("schumann_robert/opus41no1", 3), 72, (0,)
    ),
    "schumann-41-1": Work("Schumann, Quartet op. 41 no. 1", _quartet("schumann_robert/opus41no1", 1), 88),
    "schumann-41-1-3": Work(
        "Schumann, Quartet op. 41 no. 1, Adagio", _quartet("schumann_robert/opus41no1", 3), 66
    ),
    "ryan-a": Work(
        "Ryan's Mammoth Collection, reels",
        _ryan(
            "BoyneHuntReel",
            "CorkonianReel",
            "DominionReel",
            "EvergreenLassesReel",
            "GoldenGateReel",
            "IvyLeafReel",
        ),
        92,
    ),
    "ryan-b": Work(
        "Ryan's Mammoth Collection, jigs",
        _ryan(
            "BattleTheCashJig",
            "CastleGardenJig",
            "DublinBoysJig",
            "EmonAcnuckJig",
            "HeadlightJig",
            "LimerickLassJig",
        ),
        116,
    ),
    "ryan-c": Work(
        "Ryan's Mammoth Collection, hornpipes",
        _ryan(
            "AmateurHornpipe",
            "BalkanHornpipe",
            "ChampionHornpipe",
            "DevinesHornpipe",
            "HighlandHornpipe",
            "JuniataHornpipe",
        ),
        80,
    ),
    "ryan-d": Work(
        "Ryan's Mammoth Collection, strathspeys",
        _ryan("BoatieRowsStrathspey", "LadyBairdsStrathspey", "MarquisOfHuntlysStrathspey"),
        66,
    ),
    "beethoven-18-3-solo": Work(
        "Beethoven, Quartet op. 18 no. 3, first violin", ("beethoven/opus18no3.mxl",), 150, (0,)
    ),
    "beethoven-18-3-bass": Work(
        "Beethoven, Quartet op. 18 no. 3, cello", ("beethoven/opus18no3.mxl",), 140, (3,)
    ),
    "beethoven-18-4-solo": Work(
        "Beethoven, Quartet op. 18 no. 4, first violin", ("beethoven/opus18no4.mxl",), 132, (0,)
    ),
    "beethoven-18-4": Work("Beethoven, Quartet op. 18 no. 4", ("beethoven/opus18no4.mxl",), 126),
    "beethoven-74-solo": Work("Beethoven, Quartet op. 74, first violin", ("beethoven/opus74.mxl",), 84, (0,)),
    "beethoven-74": Work("Beethoven, Quartet op. 74", ("beethoven/opus74.mxl",), 88),
    "monteverdi-madrigal-4-6": Work("Monteverdi, madrigal, book 4", ("monteverdi/madrigal.4.6.mxl",), 96),
    "palestrina-agnus": Work("Palestrina, Agnus Dei", ("palestrina/Agnus_08.krn",), 120),
    "luca-gloria": Work("Luca, Gloria", ("luca/gloria.xml",), 110),
    "cpe-bach-h186": Work("C. P. E. Bach, H. 186", ("cpebach/h186.mxl",), 76),
}

ENSEMBLES: dict[str, Ensemble] = {
    # Test only.
    "organ": Ensemble(((19,),), "solo"),
    "clarinet-and-piano": Ensemble(((71,), (0,), (0,)), "solo"),
    "guitar": Ensemble(((24,),), "solo"),
    "piano": Ensemble(((0,),), "solo"),
    # Training.
    "harpsichord": Ensemble(((6,),), "solo"),
    "steel-guitar": Ensemble(((25,),), "solo"),
    "harp": Ensemble(((46,),), "solo"),
    "violin": Ensemble(((40,),), "solo"),
    "flute-and-piano": Ensemble(((73,), (0,), (0,)), "solo"),
    "oboe-and-harpsichord": Ensemble(((68,), (6,), (6,)), "solo"),
    "accordion": Ensemble(((21,),), "solo"),
    # Each by itself: how much air an instrument has above its tones is learned from its like.
    **{
        name: Ensemble(((program,),), "solo")
        for name, program in {
            "electric-piano": 4,
            "celesta": 8,
            "music-box": 10,
            "vibraphone": 11,
            "marimba": 12,
            "xylophone": 13,
            "dulcimer": 15,
            "harmonica": 22,
            "jazz-guitar": 26,
            "clean-guitar": 27,
            "viola": 41,
            "cello": 42,
            "contrabass": 43,
            "pizzicato": 45,
            "trumpet": 56,
            "trombone": 57,
            "horn": 60,
            "saxophone": 65,
            "oboe": 68,
            "english-horn": 69,
            "bassoon": 70,
            "flute": 73,
            "recorder": 74,
            "pan-flute": 75,
            "ocarina": 79,
        }.items()
    },
    # And by another sound font's, since a network learns one font's instruments by heart.
    **{
        f"csound-{name}": Ensemble(((program,),), "solo", font="csound-soundfont")
        for name, program in {
            "piano": 0,
            "bright-piano": 1,
            "electric-piano": 5,
            "harpsichord": 6,
            "vibraphone": 11,
            "church-organ": 19,
            "accordion": 21,
            "harmonica": 22,
            "nylon-guitar": 24,
            "steel-guitar": 25,
            "violin": 40,
            "viola": 41,
            "cello": 42,
            "harp": 46,
            "trumpet": 56,
            "trombone": 57,
            "muted-trumpet": 59,
            "horn": 60,
            "soprano-saxophone": 64,
            "tenor-saxophone": 66,
            "oboe": 68,
            "english-horn": 69,
            "bassoon": 70,
            "clarinet": 71,
            "piccolo": 72,
            "flute": 73,
            "recorder": 74,
            "whistle": 78,
            "ocarina": 79,
            "bagpipe": 109,
            "fiddle": 110,
        }.items()
    },
    **{
        f"csound-{name}-and-piano": Ensemble(((program,), (0,), (0,)), "solo", font="csound-soundfont")
        for name, program in {"clarinet": 71, "oboe": 68, "flute": 73, "cello": 42, "trumpet": 56}.items()
    },
    "csound-trio": Ensemble(((73,), (70,), (0,), (0,)), "solo", font="csound-soundfont"),
    "csound-winds": Ensemble(((73,), (68,), (71,), (70,)), "solo", font="csound-soundfont"),
    "csound-quartet": Ensemble(((40,), (40,), (41,), (42,)), "solo", font="csound-soundfont"),
    "csound-recorders": Ensemble(((74,),), "solo", font="csound-soundfont"),
    "csound-brass": Ensemble(((56,), (56,), (60,), (57,)), "solo", font="csound-soundfont"),
    "csound-choir": Ensemble(((52,), (52,), (53,), (53,)), "vocals", font="csound-soundfont"),
    "saxophone-and-piano": Ensemble(((66,), (0,), (0,)), "solo"),
    "horn-and-piano": Ensemble(((60,), (0,), (0,)), "solo"),
    "trio": Ensemble(((40,), (42,), (0,), (0,)), "solo"),
    "quartet": Ensemble(((40,), (40,), (41,), (42,)), "solo"),
    "winds": Ensemble(((73,), (68,), (69,), (70,)), "solo"),
    "brass": Ensemble(((56,), (56,), (60,), (57, 58)), "orchestral"),
    "choir": Ensemble(((52,),), "vocals"),
    "choir-and-strings": Ensemble(((52, 48), (52, 48), (52, 48), (52, 48, 43)), "vocals"),
    "strings": Ensemble(((48,), (48,), (48,), (48, 43)), "orchestral"),
    "orchestra": Ensemble(((40, 48, 73), (48, 68), (48, 60), (42, 70, 43)), "orchestral"),
    "full-orchestra": Ensemble(((48, 56, 73), (48, 68, 60), (48, 61), (43, 70, 58)), "orchestral"),
    "rock": Ensemble(((29,), (30,), (27,), (33,)), "pop or rock", kit=16),
    "pop": Ensemble(((81,), (4,), (25,), (33,)), "pop or rock", kit=8),
    "jazz": Ensemble(((11,), (26,), (0,), (32,)), "pop or rock", kit=0),
    "band": Ensemble(((65,), (62,), (0,), (33,)), "pop or rock", kit=0),
}

# Work and ensemble of each render; the file is called WORK--ENSEMBLE.flac.
RENDERS: tuple[tuple[str, str], ...] = (
    ("schumann-clara-polonaise-1", "piano"),
    ("bach-chorales-a", "organ"),
    ("weber-concertino", "clarinet-and-piano"),
    ("chopin-mazurka-6-2", "guitar"),
    ("schumann-clara-polonaise-2", "piano"),
    ("schumann-clara-polonaise-3", "harpsichord"),
    ("schumann-clara-polonaise-4", "steel-guitar"),
    ("schumann-clara-trio", "trio"),
    ("joplin-maple-leaf", "piano"),
    ("joplin-maple-leaf", "accordion"),
    ("handel-lascia", "oboe-and-harpsichord"),
    ("schubert-lindenbaum", "flute-and-piano"),
    ("johnson-lift", "choir"),
    ("johnson-lift", "band"),
    ("liliuokalani-aloha", "steel-guitar"),
    ("corelli-sonata", "strings"),
    ("bach-chorales-b", "choir"),
    ("bach-chorales-c", "brass"),
    ("bach-chorales-d", "rock"),
    ("bach-chorales-e", "harp"),
    ("bach-chorales-f", "pop"),
    ("monteverdi-madrigals", "choir-and-strings"),
    ("mozart-k80", "quartet"),
    ("mozart-k155", "rock"),
    ("mozart-k155-3", "winds"),
    ("mozart-k156", "strings"),
    ("mozart-k458", "orchestra"),
    ("mozart-k458-4", "pop"),
    ("haydn-1-1", "winds"),
    ("haydn-1-1-3", "quartet"),
    ("haydn-74-1", "full-orchestra"),
    ("haydn-74-1-2", "jazz"),
    ("beethoven-18-1", "orchestra"),
    ("beethoven-18-1-4", "band"),
    ("beethoven-18-1-solo", "violin"),
    ("schumann-41-1", "full-orchestra"),
    ("schumann-41-1-3", "quartet"),
    ("schumann-clara-polonaise-2", "vibraphone"),
    ("schumann-clara-polonaise-3", "piano"),
    ("schumann-clara-polonaise-4", "electric-piano"),
    ("schumann-clara-trio", "piano"),
    ("joplin-maple-leaf", "xylophone"),
    ("handel-lascia", "saxophone-and-piano"),
    ("schubert-lindenbaum", "horn-and-piano"),
    ("liliuokalani-aloha", "clean-guitar"),
    ("johnson-lift", "piano"),
    ("corelli-sonata", "recorder"),
    ("bach-chorales-b", "piano"),
    ("bach-chorales-c", "marimba"),
    ("bach-chorales-d", "music-box"),
    ("bach-chorales-e", "electric-piano"),
    ("bach-chorales-f", "celesta"),
    ("monteverdi-madrigals", "pan-flute"),
    ("mozart-k80", "piano"),
    ("mozart-k155", "dulcimer"),
    ("mozart-k155-3", "pizzicato"),
    ("mozart-k156", "jazz-guitar"),
    ("mozart-k155-solo", "flute"),
    ("mozart-k155-solo", "saxophone"),
    ("mozart-k155-solo", "trumpet"),
    ("mozart-k458-solo", "recorder"),
    ("mozart-k458-solo", "oboe"),
    ("mozart-k458-solo", "piano"),
    ("haydn-1-1", "harpsichord"),
    ("haydn-1-1-3", "piano"),
    ("haydn-1-1-solo", "english-horn"),
    ("haydn-1-1-solo", "harmonica"),
    ("haydn-1-1-solo", "ocarina"),
    ("haydn-74-1-bass", "cello"),
    ("haydn-74-1-bass", "bassoon"),
    ("haydn-74-1-bass", "trombone"),
    ("haydn-74-1-bass", "contrabass"),
    ("beethoven-18-1-solo", "viola"),
    ("beethoven-18-1-solo", "flute"),
    ("beethoven-18-1-4", "piano"),
    ("schumann-41-1-solo", "horn"),
    ("schumann-41-1-solo", "cello"),
    ("schumann-41-1-solo", "pan-flute"),
    ("ryan-a", "csound-flute"),
    ("ryan-a", "csound-clarinet"),
    ("ryan-a", "csound-accordion"),
    ("ryan-b", "csound-whistle"),
    ("ryan-b", "csound-fiddle"),
    ("ryan-b", "csound-soprano-saxophone"),
    ("ryan-c", "csound-oboe"),
    ("ryan-c", "csound-recorder"),
    ("ryan-c", "csound-harmonica"),
    ("ryan-d", "csound-piccolo"),
    ("ryan-d", "csound-bagpipe"),
    ("ryan-d", "csound-nylon-guitar"),
    ("beethoven-18-3-solo", "csound-clarinet"),
    ("beethoven-18-3-solo", "csound-english-horn"),
    ("beethoven-18-3-solo", "csound-violin"),
    ("beethoven-18-3-bass", "csound-bassoon"),
    ("beethoven-18-3-bass", "csound-cello"),
    ("beethoven-18-3-bass", "csound-trombone"),
    ("beethoven-18-4-solo", "csound-flute"),
    ("beethoven-18-4-solo", "csound-oboe"),
    ("beethoven-18-4-solo", "csound-trumpet"),
    ("beethoven-74-solo", "csound-clarinet"),
    ("beethoven-74-solo", "csound-viola"),
    ("beethoven-74-solo", "csound-muted-trumpet"),
    ("beethoven-74-solo", "csound-tenor-saxophone"),
    ("beethoven-18-4", "csound-winds"),
    ("beethoven-18-4", "csound-piano"),
    ("beethoven-74", "csound-quartet"),
    ("beethoven-74", "csound-bright-piano"),
    ("monteverdi-madrigal-4-6", "csound-recorders"),
    ("monteverdi-madrigal-4-6", "csound-brass"),
    ("palestrina-agnus", "csound-church-organ"),
    ("palestrina-agnus", "csound-choir"),
    ("luca-gloria", "csound-winds"),
    ("luca-gloria", "csound-ocarina"),
    ("cpe-bach-h186", "csound-piano"),
    ("cpe-bach-h186", "csound-harpsichord"),
    ("schubert-lindenbaum", "csound-clarinet-and-piano"),
    ("schubert-lindenbaum", "csound-cello-and-piano"),
    ("handel-lascia", "csound-oboe-and-piano"),
    ("handel-lascia", "csound-trumpet-and-piano"),
    ("schumann-clara-trio", "csound-trio"),
    ("schumann-clara-trio", "csound-flute-and-piano"),
    ("joplin-maple-leaf", "csound-electric-piano"),
    ("joplin-maple-leaf", "csound-vibraphone"),
    ("schumann-clara-polonaise-2", "csound-harp"),
    ("schumann-clara-polonaise-3", "csound-piano"),
    ("schumann-clara-polonaise-4", "csound-steel-guitar"),
    ("schumann-41-1-solo", "csound-horn"),
)
