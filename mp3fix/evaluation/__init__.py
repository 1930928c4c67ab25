"""Measures, comparisons and benchmarks."""
