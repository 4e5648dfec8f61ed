"""MLflow: a client, the live run of a training, the record of a pipeline run, provenance."""
