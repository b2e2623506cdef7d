"""A run: arms, seeds, calibration, appraisal, report."""
