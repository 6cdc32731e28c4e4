"""Who may see what, and what happened: the audit chain and the archive of delivered bytes."""
