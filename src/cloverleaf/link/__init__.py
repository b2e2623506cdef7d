"""V2X: schemas, codec, security, channel, generation rules, bus."""
