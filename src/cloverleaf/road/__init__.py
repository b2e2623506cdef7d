"""The smart road: roadside unit, signal controllers, roadside perception."""
