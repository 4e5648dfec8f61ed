"""The `reelflow` command.

Every subcommand imports what it needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.files import SETTINGS
from cli.gc import gc
from cli.inspect import inspect
from cli.predict import predict
from cli.videos import REPLACE, import_, remove
from reelflow.base.errors import ReelflowError
from reelflow.base.terminal import log_to_stderr
from tasks.common.stage import unexpected

app = typer.Typer(
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


@app.command()
def run(
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled videos: a folder per class, or a csv path,label[,group]."),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy videos into data/raw instead of linking them.")
    ] = False,
    replace: Annotated[bool, REPLACE] = False,
) -> None:
    """Run the pipeline on data/raw, on DATA, or, where there is neither, on sample videos."""
    from cli.run import run_command

    run_command(data, copy=copy, replacing=replace)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    clips_per_class: Annotated[
        int | None, typer.Option(min=3, help="Videos of each of the six classes.")
    ] = None,
) -> None:
    """Write labelled sample videos: the same bytes each time, a few broken on purpose."""
    from reelflow.sample import write_sample

    if clips_per_class is None:
        print(write_sample(folder))
    else:
        # No group without clips: the usual forty, or fewer.
        groups = min(40, clips_per_class)
        print(write_sample(folder, clips_per_class=clips_per_class, groups=groups))


@app.command()
def retrain() -> None:
    """Take the videos of data/inbox into data/raw, then run what that changes."""
    from cli.run import retrain_command

    retrain_command()


app.command(context_settings=SETTINGS)(inspect)
app.command()(gc)
app.command("import")(import_)
app.command(context_settings=SETTINGS)(remove)
app.command(context_settings=SETTINGS)(predict)


@app.command()
def ui() -> None:
    """Show the Prefect UI and the MLflow UI on this machine, until Ctrl-C."""
    from cli.ui import ui as show

    show()


def main() -> None:
    """Entry point. What a person can mend ends as a sentence and exit status 1."""
    try:
        app()
    except ReelflowError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 (whatever it is, it ends as a sentence)
        sys.exit(f"error: {unexpected(error)}")


if __name__ == "__main__":
    main()
