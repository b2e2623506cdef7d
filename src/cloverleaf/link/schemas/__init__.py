"""Message schemas in a compact text form, one file per message family; `catalog` names the messages, `reader` reads the text."""
