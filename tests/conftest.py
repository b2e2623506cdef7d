"""Shared test settings.

Property tests may be slow where a kernel is compiled on first use, so they have no deadline. They draw the same cases every time,
so that a red run means a changed program; `--hypothesis-profile=explore` draws new ones.
"""

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("house")
