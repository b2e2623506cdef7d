"""Cloverleaf: human, car, road and cloud in one loop."""

__version__ = "0.1.0"
