"""What a file or a table must look like, loaded from the declarations. Reads no delivered data."""
