"""The MP3 itself: bytes in, values out."""
