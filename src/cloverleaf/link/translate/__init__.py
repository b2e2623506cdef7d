"""Messages of one standard as those of another, through the records of `link.messages`, with an account of what is lost."""
