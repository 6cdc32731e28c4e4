"""assayhouse: a biomarker warehouse for clinical trials. Knows nothing of any orchestrator."""

__version__ = "0.1.0"
