"""Frame to frame where SQL would be the worse language. Opens no file."""
