"""The statistical analysis plan: frames of analysis data in, frames of results out."""
