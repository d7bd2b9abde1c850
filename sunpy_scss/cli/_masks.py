"""The parts of the command that are about masks."""

from sunpy_scss.cli._options import (
    add_command,
    add_hek_url,
    add_overwrite,
    add_picture,
    expanded,
    hek_server,
    moment,
    positive,
    quantity,
    say,
    target_file,
    target_folder,
    tell,
)

__all__ = ["add_mask_commands"]

# What is read at a glance; the file has all of it.
_GLANCE = (
    *("file", "id", "area", "area_percent", "area_low", "area_high", "lon", "lat", "carrington_lon", "beyond_60"),
    *("touches_limb", "confidence", "intensity_median", "flux_signed", "flux_unsigned", "unipolarity"),
)
_FORMATS = {
    **dict.fromkeys(("area", "area_low", "area_high", "intensity_median"), ".0f"),
    **dict.fromkeys(("area_first", "area_second", "overlap"), ".0f"),
    **dict.fromkeys(("lon", "lat", "carrington_lon"), ".1f"),
    **dict.fromkeys(("area_percent", "beyond_60", "confidence", "unipolarity", "score"), ".2f"),
    **dict.fromkeys(("iou", "dice", "area_ratio"), ".3f"),
    **dict.fromkeys(("flux_signed", "flux_unsigned"), ".2e"),
}


def add_mask_commands(commands):
    """Add the commands that read masks, or draw them, to the parsers of all."""
    _add_properties(commands)
    _add_filaments(commands)
    _add_compare(commands)
    _add_plot(commands)
    _add_movie(commands)
    _add_export(commands)
    _add_hek_mask(commands)
    _add_track(commands)
    _add_carrington(commands)


def _add_masks(command, name="masks", **settings):
    settings = {"nargs": "+", "metavar": "MASK", "help": "mask file, a folder of them, or a quoted pattern"} | settings
    command.add_argument(name, **settings)


def _add_properties(commands):
    command = add_command(commands, "properties", _properties, "Measure the regions of masks.")
    _add_masks(command)
    for name, what in (
        ("image", "intensities"),
        ("magnetogram", "magnetic fluxes"),
        ("probability", "intervals of area; on the pixels of the mask"),
    ):
        command.add_argument(
            f"--{name}", nargs="+", default=[], metavar="FILE", help=f"for {what}: one file, or one for each mask"
        )
    command.add_argument("--output", metavar="FILE", help="also write all columns, as .ecsv, .fits or .csv")
    add_overwrite(command)


def _properties(options):
    from sunpy_scss.files._masks import measure_files

    table = measure_files(
        expanded(options.masks),
        images=expanded(options.image),
        magnetograms=expanded(options.magnetogram),
        probabilities=expanded(options.probability),
        target=options.output,
        overwrite=options.overwrite,
    )
    names = [name for name in _GLANCE if name in table.colnames]
    if len(table):
        _print_table(table[names])
    else:
        tell("no regions")
    if options.output:
        say(options.output)
    return 0


def _print_table(table):
    for name in table.colnames:
        table[name].info.format = _FORMATS.get(name)
    say("\n".join(table.pformat(max_lines=-1, max_width=-1)))


def _add_filaments(commands):
    command = add_command(
        commands, "filaments", _filaments, "Tell how much each coronal hole of masks looks like a filament."
    )
    _add_masks(command)
    command.add_argument("--image", nargs="+", required=True, metavar="FILE", help="one, or one for each mask")
    command.add_argument("--magnetogram", nargs="+", default=[], metavar="FILE", help="one, or one for each mask")
    command.add_argument("--output", metavar="FILE", help="also write all columns, as .ecsv, .fits or .csv")
    add_overwrite(command)


def _filaments(options):
    from sunpy_scss.files._masks import score_filaments

    table = score_filaments(
        expanded(options.masks),
        images=expanded(options.image),
        magnetograms=expanded(options.magnetogram),
        target=options.output,
        overwrite=options.overwrite,
    )
    if len(table):
        _print_table(table[["file", "id", "score", "filament", "reasons"]])
    else:
        tell("no regions")
    if options.output:
        say(options.output)
    return 0


def _add_compare(commands):
    command = add_command(commands, "compare", _compare, "Tell how far masks agree, each with each.")
    _add_masks(command, help="mask file; two or more")
    command.add_argument("--names", nargs="+", metavar="NAME", help="what to call them; by default as the files")
    command.add_argument(
        "--output",
        type=target_folder,
        metavar="DIR",
        help="also write the table, and Maps of consensus and disagreement",
    )
    add_overwrite(command)


def _compare(options):
    from sunpy_scss.files._masks import compare_files

    table = compare_files(
        expanded(options.masks), names=options.names, folder=options.output, overwrite=options.overwrite
    )
    _print_table(table)
    if options.output:
        say(options.output)
    return 0


def _add_plot(commands):
    command = add_command(commands, "plot", _plot, "Draw the outlines of masks that are there on their image.")
    command.add_argument("image", metavar="IMAGE", help="image that sunpy reads")
    _add_masks(command)
    command.add_argument(
        "--output",
        required=True,
        type=target_file(".png", ".pdf", ".svg"),
        metavar="FILE",
        help="the picture, as .png, .pdf or .svg",
    )
    add_picture(command)
    add_overwrite(command)


def _plot(options):
    from sunpy_scss.files._pictures import plot_file

    plot_file(options.image, expanded(options.masks), options.output, dpi=options.dpi, overwrite=options.overwrite)
    say(options.output)
    return 0


def _add_movie(commands):
    command = add_command(commands, "movie", _movie, "Draw masks on the images nearest in time, as a movie.")
    _add_masks(command)
    command.add_argument("--image", nargs="+", required=True, metavar="FILE", help="images, folders or quoted patterns")
    command.add_argument("--track", action="store_true", help="follow the regions, each in a colour of its own")
    command.add_argument("--output", required=True, metavar="FILE", help="NAME.mp4, NAME.gif, or a folder for PNG")
    command.add_argument("--rate", type=positive, default=4, metavar="N", help="pictures in a second (default: 4)")
    add_picture(command)
    add_overwrite(command)


def _movie(options):
    from sunpy_scss.files._inputs import find_images
    from sunpy_scss.files._pictures import movie_files

    path = movie_files(
        expanded(options.masks),
        find_images(options.image, "."),
        options.output,
        track=options.track,
        rate=options.rate,
        dpi=options.dpi,
        overwrite=options.overwrite,
    )
    say(path)
    return 0


def _add_export(commands):
    command = add_command(commands, "export", _export, "Write the regions of masks for other programs.")
    _add_masks(command)
    command.add_argument(
        "--format",
        choices=("geojson", "hek"),
        default="geojson",
        help="outlines as GeoJSON (default), or records like the HEK's as CSV",
    )
    command.add_argument(
        "--frame",
        choices=("heliographic_stonyhurst", "heliographic_carrington", "helioprojective"),
        default="heliographic_stonyhurst",
        help="of the coordinates of GeoJSON (default: %(default)s)",
    )
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder for a file for each mask"
    )
    add_overwrite(command)


def _export(options):
    from sunpy_scss.files._masks import export_files

    for path in export_files(
        expanded(options.masks), options.output, form=options.format, frame=options.frame, overwrite=options.overwrite
    ):
        say(path)
    return 0


def _add_hek_mask(commands):
    command = add_command(commands, "hek-mask", _hek_mask, "Draw events of the HEK on the pixels of an image.")
    command.add_argument("--map", required=True, metavar="FILE", help="the image")
    command.add_argument("--feature", choices=("ch", "ar"), required=True, help="coronal holes or active regions")
    command.add_argument("--output", required=True, type=target_file(".fits"), metavar="FILE", help="the mask, as FITS")
    command.add_argument(
        "--time",
        nargs=2,
        type=moment,
        metavar=("FROM", "TO"),
        help="events of this time; six hours about the image by default",
    )
    command.add_argument("--method", nargs="+", default=["SPoCA"], metavar="NAME", help="default: SPoCA")
    command.add_argument(
        "--max-gap", type=quantity("h"), default="6 h", metavar="TIME", help="draw nothing farther off (default: 6 h)"
    )
    command.add_argument("--labels", action="store_true", help="number the events instead of setting 1")
    add_overwrite(command)
    add_hek_url(command)


def _hek_mask(options):
    from sunpy_scss._provenance import Provenance
    from sunpy_scss.files._hek import hek_mask_file

    mask = hek_mask_file(
        options.map,
        options.feature.upper(),
        options.output,
        time_range=options.time,
        frm_name=options.method,
        max_gap=options.max_gap,
        labels=options.labels,
        overwrite=options.overwrite,
        client=hek_server(options),
    )
    told = Provenance.of(mask)
    tell(f"{told.hek_drawn} events drawn, {told.hek_left} left out")
    say(options.output)
    return 0


def _add_track(commands):
    command = add_command(commands, "track", _track, "Follow the regions of masks from one to the next.")
    _add_masks(command)
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder for the tables and the picture"
    )
    add_overwrite(command)


def _track(options):
    from sunpy_scss.files._evolution import track_files

    for path in track_files(expanded(options.masks), options.output, overwrite=options.overwrite):
        say(path)
    return 0


def _add_carrington(commands):
    command = add_command(commands, "carrington", _carrington, "Write the Carrington map of masks of a rotation.")
    _add_masks(command)
    command.add_argument("--output", required=True, type=target_file(".fits"), metavar="FILE", help="the map, as FITS")
    command.add_argument("--projection", choices=("CEA", "CAR"), default="CEA", help="default: CEA, equal areas")
    command.add_argument("--rotation", type=int, metavar="N", help="of this Carrington rotation; all by default")
    add_overwrite(command)


def _carrington(options):
    from sunpy_scss.files._evolution import carrington_file

    keywords = {"projection": options.projection, "rotation": options.rotation, "overwrite": options.overwrite}
    smap = carrington_file(expanded(options.masks), options.output, **keywords)
    tell(smap.meta["parent"])
    say(options.output)
    return 0
