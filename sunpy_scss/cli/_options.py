"""Arguments that several commands have."""

import glob

__all__ = []


def _add_command(commands, name, run, help_text):
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.set_defaults(run=run)
    return command


def _expand(patterns):
    """Paths; a shell may leave patterns as they are."""
    return [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]


def _hek_server(options):
    from sunpy_scss.hek._search import HEKServer

    return HEKServer(options.hek_url) if options.hek_url else HEKServer()


def _add_hek_url(command):
    command.add_argument("--hek-url", metavar="URL", help="another server of the HEK")


def _expanded(patterns):
    """Files of patterns that the shell has left as they are."""
    return [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]
