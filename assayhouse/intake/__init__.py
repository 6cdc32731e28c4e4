"""What happens to a delivery, whichever vendor sent it: decides, does not write tables."""
