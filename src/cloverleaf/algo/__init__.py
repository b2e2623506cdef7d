"""Pure functions: jit, random streams, geometry, dynamics, car following, filters, assignment, signal control."""
