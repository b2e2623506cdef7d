"""The live platform's processes: thin IO loops around `cloud/live` and `cloud/store`, and what starts and watches them."""
