"""Doors to the real world: packet captures, network headers, UDP and MQTT. Thin: algorithms are elsewhere."""
