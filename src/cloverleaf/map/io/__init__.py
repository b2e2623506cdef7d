"""Readers and writers of map files; each returns or takes a `BaseMap`."""
