"""Field measurements: what two captures of the same messages, at the sender and at a receiver, say about the radio."""
