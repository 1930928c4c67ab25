"""Disk to arrays and back: probe, decode, encode, tags. No maths, no model."""
