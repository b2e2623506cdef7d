"""Shared test settings: property tests may be slow where a kernel is compiled on first use, so they have no deadline."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
