"""Bytes of instruments and of clinical formats to records of arrays. No study in sight."""
