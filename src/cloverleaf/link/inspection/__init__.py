"""What unknown bytes are: headers taken off, messages recognised, with a measure of certainty. `link inspect` shows it."""
