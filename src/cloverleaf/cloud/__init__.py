"""The cloud control platform: ingest, twin, services."""
