"""The door: the `reelflow` command. Parses, calls, prints."""
