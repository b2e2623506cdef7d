"""UN R157: reference drivers, scenario families and parameter grids of the regulation's performance models."""
