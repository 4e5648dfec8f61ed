"""What runs a flow: DVC's graph, processes of stages, the Prefect server, the lock of a run."""
