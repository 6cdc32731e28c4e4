"""All that changes a home: a delivery to its outcome, a relation to its commit."""
