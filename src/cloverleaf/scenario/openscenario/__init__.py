"""OpenSCENARIO XML 1.0 to 1.3: expressions, parameters, distributions."""
