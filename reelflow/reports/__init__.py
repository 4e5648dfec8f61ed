"""Figures and tables in, pages for people out."""
