"""The standard V2X applications, one small file each."""
