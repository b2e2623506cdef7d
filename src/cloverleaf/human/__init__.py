"""People: driver models and their errors, pedestrians, riders, attention and takeover."""
