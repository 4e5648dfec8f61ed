"""Predictions and targets in; metrics, intervals, curves and alarms out."""
