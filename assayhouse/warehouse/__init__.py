"""The home on disk: Delta tables, publications and the files people query. Knows no statistics."""
