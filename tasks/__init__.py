"""What is done: one module a stage. Reads files, calls `reelflow`, writes files."""
