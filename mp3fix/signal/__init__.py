"""Signal processing in pure NumPy. No disk, no model."""
