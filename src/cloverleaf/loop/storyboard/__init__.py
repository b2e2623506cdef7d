"""The engine of compiled scenarios: state of many worlds, and the kernels that interpret the storyboard."""
