"""What is true: physics, collision, sensors' signals, weather. The only owner of writable truth."""
