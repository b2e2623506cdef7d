"""The report of a study: one HTML file with its own drawings, readable without network and on paper."""

from cloverleaf.study.report.page import report, write_report

__all__ = ["report", "write_report"]
