"""The report of a judged suite: one HTML file, nothing loaded from elsewhere."""
