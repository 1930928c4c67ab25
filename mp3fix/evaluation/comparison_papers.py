"""The published systems as data: whose they are, where they are scored, what their papers claim.

The only place of the comparison that knows systems by name. What is written here about the papers is what could be read
of them; a paper's own figures are entered only with their source.
"""

from dataclasses import dataclass

from mp3fix.evaluation.models import base_name

ELECTRONIC, CLASSICAL = "electronic", "classical"
# Liu's two groups, by the categories of the corpus (training/testset.py).
GROUPS = {ELECTRONIC: ("electronic",), CLASSICAL: ("solo", "orchestral")}

NARROW = "32k mono, up to 11 kHz"


@dataclass(frozen=True)
class View:
    """A setting as it is scored.

    Attributes:
        setting: of excerpts.SETTINGS.
        high: Hz; where measures end, unless the recording ends before.
    """

    setting: str
    high: float | None = None


PLAIN = ("16k mono", "32k mono", "64k mono", "128k stereo")
VIEWS = {name: View(name) for name in PLAIN} | {NARROW: View("32k mono", 11025.0)}
DRAWN = ("16k mono", "32k mono")  # where many seeds are drawn: those of Lattner & Nistal's claim


@dataclass(frozen=True)
class Claim:
    """That a system's mean of a measure is better than the MP3's, or the best draw's than the deterministic form's.

    Attributes:
        view: where.
        metric: of the comparison.
        group: of GROUPS; "" for all pieces.
        best_of_20: the second kind.
    """

    view: str
    metric: str
    group: str = ""
    best_of_20: bool = False


@dataclass(frozen=True)
class Paper:
    """A paper, its claims and the shape of its headline table.

    Attributes:
        title: with its authors and where it is to be found.
        views: where its systems' band exists.
        claims: about the MP3.
        table: views of the headline table.
        columns: (measure or cost, group) of the headline table.
        data: what the paper trained on and how, as far as it is at hand, and how that differs from here.
        figures: where the paper's own figures are.
    """

    title: str
    views: tuple[str, ...]
    claims: tuple[Claim, ...]
    table: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    data: str
    figures: str = "The paper's own figures are not at hand: the table has ours only."


LATTNER = Paper(
    "Lattner & Nistal 2021, Stochastic Restoration of Heavily Compressed Musical Audio Using Generative "
    "Adversarial Networks (Electronics 10, 1349; arXiv 2207.01667)",
    PLAIN,
    (
        *(Claim(view, metric) for view in DRAWN for metric in ("lsd", "mse")),
        *(Claim(view, metric, best_of_20=True) for view in DRAWN for metric in ("lsd", "mse")),
    ),
    ("16k mono", "32k mono", "64k mono"),
    (("lsd", ""), ("mse", ""), ("snr", ""), ("odg", ""), ("di", "")),
    "The paper's generator has 322.5 million parameters; deterministic and stochastic ones were trained for 16, 32 and "
    "64 kbit/s. Here widths are small and training takes minutes on a CPU; corpus, encoder and the floor of LSD "
    "differ, so absolute figures cannot be compared.",
)
LIU = Paper(
    "Liu 2021 (S.-T. Yau High School Science Award): SRCNN, SRGAN and what they were compared with",
    ("128k stereo",),
    tuple(Claim("128k stereo", "l1", group) for group in GROUPS),
    ("128k stereo",),
    (("l1", ELECTRONIC), ("l1", CLASSICAL)),
    "Made for 128 kbit/s and a cut-off near 15 to 16 kHz, and trained on it: scored there alone, since at 16 and 32 "
    "kbit/s the cut-off lies an octave and more below. The groups are of this corpus' test pieces, not the paper's; "
    "widths are small, and training takes minutes.",
)
DESHPANDE = Paper(
    "Deshpande & Abichandani 2021, Audio Spectral Enhancement: Leveraging Autoencoders for Low Latency "
    "Reconstruction of Long, Lossy Audio Sequences",
    ("32k mono", NARROW),
    (Claim(NARROW, "snr"), Claim(NARROW, "lsd_bel")),
    (NARROW,),
    (("snr", ""), ("lsd_bel", ""), ("block_ms", ""), ("parameters", "")),
    "Its code (github.com/DarshanDeshpande/audio-spectral-enhancement) takes GTZAN at 22.05 kHz, 128 kbit/s as the "
    "target of 32 kbit/s, the first 100 000 samples of each file; by default 1000 files, batches of 32, 200 epochs. "
    "Here the target is the recording itself and whole songs are restored, after minutes of training; measures end "
    "at 11.025 kHz. Above it these systems have no band, and leave the MP3 as it is.",
)
HANCE = Paper(
    "Hance 2021, Mind the Gaps: Reducing Artifacts in Compressed Audio (hance.ai/articles/mind-the-gaps, "
    "17 August 2021)",
    PLAIN,
    (Claim("32k mono", "l1_magnitude"),),
    ("32k mono",),
    (("l1_magnitude", ""), ("lsd", ""), ("si_sdr", ""), ("visqol", "")),
    "The article trains on a mixture of dialogue and music at 32 kbit/s. Here it is music, minutes long, and a "
    "small width. Phases are found by the pipeline, since the network gives magnitudes.",
    "No figures of the article are at hand: the table has ours only.",
)

PAPERS = (LATTNER, LIU, DESHPANDE, HANCE)

# What each is, by the name that its forms share.
_SYSTEMS = {
    "lattner": (LATTNER, "the paper's generator"),
    "srcnn": (LIU, "the paper's SRCNN"),
    "srcnn-no-dense": (LIU, "SRCNN without its fully-connected layers"),
    "srcnn-no-selection": (LIU, "SRCNN without its feature selection"),
    "srgan": (LIU, "the paper's SRGAN"),
    "liu-rnn": (LIU, "the paper's RNN"),
    "liu-unet": (LIU, "the paper's improved U-Net with an RNN"),
    "bpcnn": (LIU, "the paper's BPCNN"),
    "fwr": (LIU, "compared there: full-wave rectification"),
    "pwcnn": (LIU, "compared there: pyramid wavelet CNN"),
    "cnn": (LIU, "compared there: CNN of Miron"),
    "deshpande": (DESHPANDE, "the paper's autoencoder"),
    "audio-sr-net": (DESHPANDE, "compared there: Audio-SR-Net, small"),
    "tfilm": (DESHPANDE, "compared there: TFiLM, small"),
    "wavenet": (DESHPANDE, "compared there: WaveNet, small"),
    "hance": (HANCE, "the article's U-Net"),
}


def paper_of(label: str) -> Paper | None:
    """The paper that a generator belongs to; None for any other generator, scored everywhere but in NARROW."""
    found = _SYSTEMS.get(base_name(label))
    return found[0] if found else None


def what_is(label: str) -> str:
    """A few words on a generator; "" for one of no paper."""
    found = _SYSTEMS.get(base_name(label))
    return found[1] if found else ""
