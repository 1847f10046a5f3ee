"""Prove that a machine-learning system moved between AWS and Azure still answers as it did."""

__version__ = "0.1.0"
