"""Making generators: the only place that imports torch."""
