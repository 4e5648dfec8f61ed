"""What all stages share: how one runs, its paths and inputs, outputs in DVC's cache."""
