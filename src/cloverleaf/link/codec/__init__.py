"""Codecs made from the schemas: dict <-> bytes for one message (`single`), bytes <-> record tables for thousands (`batch`)."""
