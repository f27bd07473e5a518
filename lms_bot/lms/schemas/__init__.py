"""Declarations of LMSs, one package each."""
