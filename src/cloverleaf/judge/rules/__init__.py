"""Rules as data: what a regulation or a test protocol demands, with clause and edition, and how a measure decides it."""
