"""Logical scenarios: parameter value distributions of OpenSCENARIO turned into tables of concrete cases."""
