"""Sensor signals of one car: lidar scans, radar detections, camera boxes, ultrasonic ranges, IMU, wheels, GNSS."""
