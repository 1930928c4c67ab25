"""Listening tests: made as static pages, analysed from what listeners send back."""
