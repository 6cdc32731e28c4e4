"""Assets by layer, sensor and schedules."""
