"""Radio: path loss, LTE-V2X mode 4 packet by packet, and the loss tables that the bus looks up."""
