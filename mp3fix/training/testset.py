"""The test set: pieces that no generator is ever trained on, and what kind of music each is.

Keys are `source/file name` (of a song in stems: the name of its folder). A listed piece is a test piece whatever the
hash of its name says, and another version of it is left out of the corpus.
"""

TEST: dict[str, str] = {
    # Metal, shouted and growled; rock with a woman's voice.
    "fretsonfire-songs-muldjord/armygeddon": "vocals",
    "fretsonfire-songs-muldjord/chaos_god": "vocals",
    "marsshooter-data/01_-_Ezer_Ev.ogg": "vocals",
    "marsshooter-data/06_starfall.ogg": "vocals",
    # Taiko ensembles; darbuka and frame drums.
    "0ad-data/Taiko_1.ogg": "drums",
    "0ad-data/Taiko_2.ogg": "drums",
    "0ad-data/The_Hellespont.ogg": "drums",
    # Rendered: one or two instruments, lossless.
    "renders/schumann-clara-polonaise-1--piano.flac": "solo",
    "renders/bach-chorales-a--organ.flac": "solo",
    "renders/weber-concertino--clarinet-and-piano.flac": "solo",
    "renders/chopin-mazurka-6-2--guitar.flac": "solo",
    "fretsonfire-songs-sectoid/Feelings": "pop or rock",
    "supertuxkart-data/farm.ogg": "pop or rock",
    "supertuxkart-data/Gran_Paradiso_Unused_-_TuxKart_5a_Gowns_Bow_Remix.ogg": "pop or rock",
    "supertuxkart-data/SkyVibe-HighFrequency.ogg": "pop or rock",
    "wesnoth-1.16-music/suspense.ogg": "orchestral",
    "wesnoth-1.16-music/the_dangerous_symphony.ogg": "orchestral",
    "wesnoth-1.16-music/the_deep_path.ogg": "orchestral",
    "wesnoth-1.16-music/traveling_minstrels.ogg": "orchestral",
    "warzone2100-music/track6.opus": "electronic",
    "singularity-music/Through Space.ogg": "electronic",
}
