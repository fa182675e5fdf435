"""Faults around an archive: killed processes, full disks, many processes at once."""
