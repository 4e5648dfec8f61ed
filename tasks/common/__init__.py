"""What all stages share: how one runs, where files lie, the manifest, what DVC has of outputs."""
