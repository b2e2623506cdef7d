"""Plain data: state, frames, messages, HMI, units, errors. Imports nothing of ours."""
