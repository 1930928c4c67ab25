"""The programs mp3fix and mp3fix-lab."""
