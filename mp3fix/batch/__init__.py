"""Many songs: what is restored to where, what is done already, and how the work is shared out."""
