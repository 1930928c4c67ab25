"""Generators: the contract, the catalog, the session that runs them."""
