"""One file per command, lazy imports."""
