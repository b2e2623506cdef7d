"""What happens on the road: demand, OpenSCENARIO storyboards, logical scenarios and distributions."""
