"""Metric kernels, shared by planner, guard and judge."""
