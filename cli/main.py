"""The `reelflow` command.

Every subcommand imports what it needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import sys

import typer

from cli.compare import compare
from cli.crossval import crossval
from cli.explain import explain
from cli.gc import gc
from cli.import_and_remove import import_, remove
from cli.inspect import inspect
from cli.networks import networks
from cli.options import SETTINGS
from cli.predict import predict
from cli.run import retrain, run
from cli.sample import sample
from cli.search import search
from cli.ui import ui
from reelflow.base.terminal import log_to_stderr
from tasks.common.error_to_sentence import sentence

app = typer.Typer(
    rich_markup_mode="markdown",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Labelled videos in, a registered, explainable, retrainable video classifier out.",
)


@app.callback()
def _settings() -> None:
    # Our own lines only: those of the tools below go to their servers.
    log_to_stderr("%(message)s", logging.WARNING)
    logging.getLogger("reelflow").setLevel(logging.INFO)


app.command()(run)
app.command()(retrain)
app.command()(crossval)
app.command()(search)
app.command()(ui)
app.command()(sample)
app.command(context_settings=SETTINGS)(inspect)
app.command()(compare)
app.command()(networks)
app.command()(gc)
app.command("import")(import_)
app.command(context_settings=SETTINGS)(remove)
app.command(context_settings=SETTINGS)(predict)
app.command(context_settings=SETTINGS)(explain)


def main() -> None:
    """Entry point. Every error ends as a sentence and exit status 1."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 (whatever it is, it ends as a sentence)
        sys.exit(f"error: {sentence(error)}")


if __name__ == "__main__":
    main()
