"""The report of a study: one HTML file with its own drawings, readable without network and on paper."""
