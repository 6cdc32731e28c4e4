"""assayhouse: a biomarker warehouse for clinical trials. Knows nothing of any orchestrator."""
