"""The command that draws labels."""

from sunpy_scss.cli._options import add_command, expanded, say, target_folder, tell

__all__ = ["add_label_command"]


def add_label_command(commands):
    """Add the command that draws labels to the parsers of all commands."""
    command = add_command(commands, "label", _label, "Draw and correct labels on a page in the browser.")
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="image that sunpy reads, a folder of them, or a quoted pattern"
    )
    command.add_argument("--model", metavar="NAME", help="whose regions are corrected; by default the bundled one")
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder of labels; one that is there goes on"
    )
    command.add_argument(
        "--masks", nargs="+", default=[], metavar="MASK", help="begin from these, named like their images"
    )
    command.add_argument("--compare", metavar="DIR", help="labels of another annotator, to compare with")
    command.add_argument(
        "--order",
        choices=("doubt", "date", "given"),
        default="doubt",
        help="which images come first: those the model is least sure of (default), the earliest, or as given",
    )
    command.add_argument("--annotator", metavar="NAME", help="who draws; by default the name of the user")
    command.add_argument("--port", type=int, default=0, metavar="N", help="by default one that is free")
    command.add_argument("--no-browser", action="store_true", help="only print the address of the page")


def _label(options):
    from sunpy_scss.batch._inputs import find_images
    from sunpy_scss.label._server import label_images

    def notify(address):
        say(address)
        tell("Everything is saved as you draw. Ctrl+C ends this.")
        if not options.no_browser:
            import webbrowser

            webbrowser.open(address)

    try:
        label_images(
            find_images(options.files),
            options.output,
            model=options.model,
            masks=expanded(options.masks),
            other=options.compare,
            order=options.order,
            annotator=options.annotator,
            port=options.port,
            notify=notify,
        )
    except KeyboardInterrupt:
        tell(f"The labels are in {options.output}.")
    return 0
