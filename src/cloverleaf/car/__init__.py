"""The smart car: sense, locate, perceive, predict, plan, control, guard, HMI."""
