"""Drivers that can be judged: built in, compiled; or a user's own in Python, as FMU or as a process behind a socket."""
