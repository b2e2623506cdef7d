"""From raw measurements to objects: ground, clusters and boxes of point clouds; tracks of many objects over time."""
