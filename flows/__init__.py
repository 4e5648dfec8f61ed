"""When it is done: Prefect flows. Only this floor knows Prefect."""
