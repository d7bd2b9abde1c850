"""The commands that draw: report, plot, movie and demo."""

from pathlib import Path

from sunpy_scss.cli._options import (
    add_command,
    add_feature,
    add_header,
    add_overwrite,
    add_picture,
    expanded,
    failure_of,
    features_of,
    positive,
    say,
    target_file,
    target_folder,
    tell,
)

__all__ = ["add_picture_commands"]

_HOURS = 6  # A mask that is farther in time from every image belongs to none of them.


def add_picture_commands(commands):
    """Add the commands that draw to the parsers of all commands."""
    _add_report(commands)
    _add_plot(commands)
    _add_movie(commands)
    _add_demo(commands)


def _gaps(mask, times):
    """Return the differences in time of images from a mask; raise an error if it is too far from all of them."""
    import astropy.units as u

    from sunpy_scss.exceptions import InvalidMapError

    gaps = u.Quantity([abs(time - mask.date).to(u.hour) for time in times])
    if gaps.min() > _HOURS * u.hour:
        msg = f"The mask of {mask.date.isot[:16]} is more than {_HOURS} h away from any of the images."
        raise InvalidMapError(msg)
    return gaps


def _add_report(commands):
    command = add_command(
        commands, "report", _report, "Write a page on images and their masks that any browser shows without a network."
    )
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="image that sunpy reads, a folder of them, or a quoted pattern"
    )
    command.add_argument(
        "--mask",
        nargs="+",
        default=[],
        metavar="FILE",
        help="masks that are there, each for the image nearest in time; without them, the images are segmented",
    )
    add_feature(command)
    command.add_argument("--output", required=True, metavar="FILE", help="the page, such as report.html")
    command.add_argument("--title", help="heading of the page")
    add_header(command)
    add_overwrite(command)


def _report(options):
    from tqdm.auto import tqdm

    from sunpy_scss._save import refuse_existing
    from sunpy_scss.batch._inputs import find_images
    from sunpy_scss.masks._read import read_mask
    from sunpy_scss.report._page import write_report

    refuse_existing(options.output, overwrite=options.overwrite)
    smaps, found, failed = [], [], False

    def fail(path, error):
        nonlocal failed
        failed = True
        tell(failure_of(path, error))

    for path in tqdm(find_images(options.files), unit="file", disable=None):
        try:
            smap, masks = _image_and_masks(path, options)
        except Exception as error:  # an image that fails does not stop the reports on the others
            fail(path, error)
        else:
            smaps.append(smap)
            found.append(masks)
    for path in expanded(options.mask) if smaps else ():
        try:
            mask = read_mask(path)
            found[_image_of(mask, smaps)].append(mask)
        except (OSError, ValueError) as error:
            fail(path, error)
    if smaps:
        write_report(smaps, found, options.output, title=options.title, overwrite=options.overwrite)
        say(options.output)
    return 1 if failed else 0


def _image_and_masks(path, options):
    """Return an image, and its new mask unless masks are given."""
    from sunpy_scss.batch._work import SEGMENT, feature_shown
    from sunpy_scss.images._image import read_image

    smap = read_image(path, dict(options.header))
    smap.meta["filename"] = Path(path).name  # neither Map nor mask would know it
    return smap, [] if options.mask else [SEGMENT[feature_shown(smap, features_of(options))](smap)]


def _image_of(mask, smaps):
    """Return the index of the image nearest in time to a mask, among those of its wavelength if there are any."""
    gaps = _gaps(mask, [smap.date for smap in smaps]).value
    others = [smap.wavelength != mask.wavelength for smap in smaps]
    return min(range(len(smaps)), key=lambda number: (gaps[number] > _HOURS, others[number], gaps[number]))


def _add_plot(commands):
    command = add_command(commands, "plot", _plot, "Draw the outlines of masks on their image.")
    command.add_argument("image", metavar="IMAGE", help="image that sunpy reads, or a browse image in JPEG or PNG")
    command.add_argument("masks", nargs="+", metavar="MASK", help="mask file, a folder of them, or a quoted pattern")
    command.add_argument(
        "--output",
        required=True,
        type=target_file(".png", ".pdf", ".svg"),
        metavar="FILE",
        help="the picture, as .png, .pdf or .svg",
    )
    add_header(command)
    add_picture(command)
    add_overwrite(command)


def _plot(options):
    from sunpy_scss._save import refuse_existing, save_figure
    from sunpy_scss.images._image import read_image
    from sunpy_scss.plotting._maps import plot_masks

    refuse_existing(options.output, overwrite=options.overwrite)
    smap = read_image(options.image, dict(options.header))
    masks = [_mask_on(smap, path) for path in expanded(options.masks)]
    save_figure(plot_masks(smap, *masks).figure, options.output, dpi=options.dpi)
    say(options.output)
    return 0


def _mask_on(smap, path):
    """Return the mask of a file on the pixels of an image."""
    from sunpy_scss._sun.surface import surface_of
    from sunpy_scss._sun.transfer import same_grid
    from sunpy_scss.masks._compare import reproject_mask
    from sunpy_scss.masks._read import read_mask

    mask = read_mask(path)
    _gaps(mask, [smap.date])
    if same_grid(surface_of(mask), surface_of(smap)):
        return mask
    tell(f"{path}: brought to the pixels of the image")
    return reproject_mask(mask, smap)


def _add_movie(commands):
    command = add_command(commands, "movie", _movie, "Draw masks on the images nearest in time, as a movie.")
    command.add_argument("masks", nargs="+", metavar="MASK", help="mask file, a folder of them, or a quoted pattern")
    command.add_argument("--image", nargs="+", required=True, metavar="FILE", help="images, folders or quoted patterns")
    command.add_argument("--track", action="store_true", help="follow the regions, each in a colour of its own")
    command.add_argument("--output", required=True, metavar="FILE", help="NAME.mp4, NAME.gif, or a folder for PNG")
    command.add_argument("--rate", type=positive, default=4, metavar="N", help="pictures in a second (default: 4)")
    add_picture(command)
    add_overwrite(command)


def _movie(options):
    from sunpy_scss.batch._inputs import find_images
    from sunpy_scss.evolution._tracks import track_regions
    from sunpy_scss.images._image import read_image
    from sunpy_scss.images._read import read_map
    from sunpy_scss.masks._read import read_mask
    from sunpy_scss.plotting._movie import save_movie

    masks = sorted(expanded(options.masks), key=lambda path: read_map(path).date)
    images = find_images(options.image)
    times = [read_image(path).date for path in images]
    nearest = [images[_gaps(read_map(path), times).argmin()] for path in masks]
    regions = track_regions(read_mask(path) for path in masks).regions if options.track else None
    figures = _figures(nearest, masks, regions, options.dpi)
    written = save_movie(figures, options.output, rate=options.rate, overwrite=options.overwrite)
    if written.suffix != Path(options.output).suffix:
        tell(f"ffmpeg, which MP4 needs, is not installed: written as {written.suffix[1:].upper()}")
    say(written)
    return 0


def _figures(images, masks, regions, dpi):
    """Yield a figure of each mask on its image, with the followed regions if these are given."""
    from tqdm.auto import tqdm

    from sunpy_scss.images._image import read_image
    from sunpy_scss.plotting._evolution import plot_tracked_regions
    from sunpy_scss.plotting._maps import plot_masks

    pairs = zip(images, masks, strict=True)
    for number, (image, path) in enumerate(tqdm(pairs, total=len(masks), unit="picture", disable=None)):
        smap = read_image(image)
        mask = _mask_on(smap, path)
        if regions is None:
            axes = plot_masks(smap, mask)
        else:
            axes = plot_tracked_regions(smap, mask, regions[regions["mask"] == number])
        if dpi:
            axes.figure.set_dpi(dpi)
        yield axes.figure


def _add_demo(commands):
    command = add_command(commands, "demo", _demo, "Segment two real images that come with sunpy; needs no network.")
    command.add_argument(
        "--output",
        default="sunpy-scss-demo",
        type=target_folder,
        metavar="DIR",
        help="folder for masks and picture (default: %(default)s)",
    )


def _demo(options):
    import matplotlib.pyplot as plt

    from sunpy_scss._features import FEATURES
    from sunpy_scss._save import save_figure, save_map
    from sunpy_scss.batch._work import SEGMENT
    from sunpy_scss.images._read import example_map
    from sunpy_scss.masks._table import area_fraction
    from sunpy_scss.plotting._maps import plot_masks

    folder = Path(options.output)
    figure = plt.figure(figsize=(12, 6), layout="constrained")
    for position, (feature, facts) in enumerate(FEATURES.items(), start=1):
        smap = example_map(facts.wavelength)
        mask = SEGMENT[feature](smap)
        path = folder / f"aia{facts.wavelength}_{feature.lower()}.fits"
        save_map(mask, path)
        plot_masks(smap, mask, axes=figure.add_subplot(1, 2, position, projection=smap))
        share = f"{area_fraction(mask):.1f} of the visible hemisphere"
        say(f"AIA {facts.wavelength}, {smap.date.isot[:16]}: {facts.name}s cover {share} -> {path}")
    save_figure(figure, folder / "demo.png")
    say(f"picture -> {folder / 'demo.png'}")
    return 0
