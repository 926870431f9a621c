"""Where `perpdesk` begins: signals first, then everything that takes long to load."""

from tui import early

early.guard()


def main() -> None:
    """Runs the command line, as `tui.cli.main`."""
    from tui import cli

    cli.main()


if __name__ == "__main__":
    main()
