"""Result frames to figures, tables and pages. Draws and lays out; never estimates."""
