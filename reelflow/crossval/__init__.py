"""Cross-validation: prepared videos in, folds out; answers of the folds in, figures out."""
