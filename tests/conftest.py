"""Its place puts tests/ on the import path, for `import networks`."""
