"""OpenDRIVE 1.4-1.8: reader, struct-of-arrays model and the kernels that evaluate it."""
