"""Demand readers: SUMO configurations and route files, and our own flow table."""
