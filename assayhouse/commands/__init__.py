"""What the commands do: a module is imported when its command is called. No arithmetic here."""
