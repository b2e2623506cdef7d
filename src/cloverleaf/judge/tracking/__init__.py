"""Judging trackers on recorded sequences: KITTI's files, CLEAR MOT over recall, HOTA, GOSPA."""
