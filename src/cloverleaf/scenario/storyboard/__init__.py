"""A scenario compiled: the storyboard as integer tables, every number of it as a column over worlds."""
