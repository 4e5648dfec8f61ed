"""A trained model in, a registered version out.

Packaging, promotion, and asking a registered model.
"""
