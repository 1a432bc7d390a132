"""What the benchmark measures: pure functions on pictures, H x W x 3 float, 0 to 1, sRGB-encoded.

"Change" is output minus input: what the tile pass did. A picture has edges of its own, but they are in the change
only as far as the pass altered them, so seams show there first.

Two things are done throughout, so that what is found is the tiling and not the picture or the model. A place is
compared only with places nearby, and only with those at the same phase of the model's grid: a codec of 4 x 4 blocks
steps a little more between blocks than within them, and tiles begin at blocks. And a figure below a floor counts as
the floor: what is far less than one 8-bit level can't be seen, and ratios of such figures tell nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from benchmarks.quality.layout import AxisLayout, Layout
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter, uniform_filter1d
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
# H x W x 3 pixels to W values, one for the line before each column; NaN where there is none.
Profile = Callable[[Floats], Doubles]

# A twentieth of an 8-bit level.
FLOOR = 0.05 / 255
# References lie up to this many periods of the model's grid to either side of a line.
REACH = 8
# A tone step is the difference of two boxes of this many pixels across the line and TONE_ALONG along it.
TONE_ACROSS, TONE_ALONG = 16, 64
# Detail is what a Gaussian of this many pixels takes away.
DETAIL_SIGMA = 1.5
# So many distances at least tell what correlation is usual.
LEAST_DISTANCES = 6
# Interiors keep this far from blends.
MARGIN = 8
# Colour is compared after a Gaussian of this many pixels.
COLOUR_SIGMA = 8.0


@dataclass(frozen=True)
class LineRatio:
    """Steps across the planned lines over those elsewhere: 1 where the lines are like their surroundings.

    `plain` is that ratio as it is; `relative` the same over the blank's, where there is one: the picture's own edges
    on the lines count in both. `spread` is the standard deviation of `relative` (else `plain`) by chance; `worst` its
    highest value of a single line, `worst_line` that line's place ("x=416").
    """

    plain: float
    relative: float
    spread: float
    worst: float
    worst_line: str


def seam_ratio(pixels: Floats, layout: Layout, blank: Floats | None = None) -> LineRatio:
    """Mean |step| across all planned tile and feather edges over the median |step| at references beside them.

    The step at a line is the mean of |p[x] - p[x-1]| over its length and the channels; its references are the same at
    up to REACH periods to either side, planned lines left out. Sums over lines are divided, not ratios averaged.
    `blank`: the same picture made without tiles.
    """
    return _line_ratio(pixels, layout, blank, _mean_step)


def tone_ratio(pixels: Floats, layout: Layout, blank: Floats | None = None) -> LineRatio:
    """As `seam_ratio`, for steps of tone: differences of the means of two boxes, one on either side of the line.

    Boxes are TONE_ACROSS x TONE_ALONG pixels; the step is the root mean square over all places along the line. A step
    of tone far smaller than the grain around it is seen as a line, but drowns in a mean of |step|.
    """
    return _line_ratio(pixels, layout, blank, _tone_step)


@dataclass(frozen=True)
class _Lines:
    """For each line its name, its step, and the steps at its references, by place."""

    names: tuple[str, ...]
    steps: tuple[float, ...]
    beside: tuple[Doubles, ...]

    @property
    def ratio(self) -> float:
        return float(np.sum(self.steps) / np.sum([np.median(found) for found in self.beside]))


def _line_ratio(pixels: Floats, layout: Layout, blank: Floats | None, profile: Profile) -> LineRatio:
    lines = _lines(pixels, layout, profile)
    if not lines.names:
        return LineRatio(1.0, 1.0, 0.0, 1.0, "-")
    plain = lines.ratio
    ratios = [step / np.median(beside) for step, beside in zip(lines.steps, lines.beside, strict=True)]
    placebos = [beside / np.median(beside) for beside in lines.beside]
    relative = plain
    if blank is not None:
        clean = _lines(blank, layout, profile)
        relative = plain / clean.ratio
        medians = [float(np.median(beside)) for beside in clean.beside]
        ratios = [ratio / (step / median) for ratio, step, median in zip(ratios, clean.steps, medians, strict=True)]
        placebos = [
            ours / (beside / median) for ours, beside, median in zip(placebos, clean.beside, medians, strict=True)
        ]
    worst = int(np.argmax(ratios))
    spread = float(np.std(np.concatenate(placebos))) / len(ratios) ** 0.5
    return LineRatio(plain, relative, spread, float(ratios[worst]), lines.names[worst])


def _lines(pixels: Floats, layout: Layout, profile: Profile) -> _Lines:
    names, steps, references = [], [], []
    for name, axis, picture in (("x", layout.across, pixels), ("y", layout.down, pixels.transpose(1, 0, 2))):
        values = np.maximum(profile(picture), FLOOR)
        for line in axis.lines:
            beside = values[_references(line, axis, layout.period)]
            beside = beside[np.isfinite(beside)]
            if len(beside) and np.isfinite(values[line]):
                names.append(f"{name}={line}")
                steps.append(float(values[line]))
                references.append(beside)
    return _Lines(tuple(names), tuple(steps), tuple(references))


def _references(line: int, axis: AxisLayout, period: int) -> list[int]:
    """Lines beside this one at the same phase of the grid, that aren't planned ones."""
    places = [line + period * k for k in range(-REACH, REACH + 1) if k]
    return [place for place in places if 0 < place < axis.length and place not in axis.lines]


def _mean_step(pixels: Floats) -> Doubles:
    """The mean |step| from each column to the next."""
    steps = np.abs(np.diff(pixels.astype(np.float64), axis=1)).mean((0, 2))
    return np.concatenate(([np.nan], steps))


def _tone_step(pixels: Floats) -> Doubles:
    """The root mean square difference of the boxes on either side of each line."""
    height, width = pixels.shape[:2]
    profile = np.full(width, np.nan)
    along = min(TONE_ALONG, height)
    if width < 2 * TONE_ACROSS:
        return profile
    sums = np.cumsum(pixels, axis=1, dtype=np.float64)
    sums = np.concatenate((np.zeros_like(sums[:, :1]), sums), axis=1)
    means = (sums[:, TONE_ACROSS:] - sums[:, :-TONE_ACROSS]) / TONE_ACROSS
    steps = means[:, TONE_ACROSS:] - means[:, :-TONE_ACROSS]
    begin = along // 2
    boxes = uniform_filter1d(steps, along, axis=0)[begin : begin + height - along + 1]
    profile[TONE_ACROSS : width - TONE_ACROSS + 1] = np.sqrt((boxes**2).mean((0, 2)))
    return profile


@dataclass(frozen=True)
class DetailDip:
    """`plain` as it is; `relative` over the blank's, where there is one."""

    plain: float
    relative: float


def detail_dip(pixels: Floats, layout: Layout, blank: Floats | None = None) -> DetailDip:
    """Root mean square detail in the middle quarter of the blends over that of tile interiors.

    Detail is what a Gaussian of DETAIL_SIGMA pixels takes away. Below 1: two tiles that disagree were averaged. Plain,
    it means something only where the picture is alike everywhere, a stationary texture; over the blank's, on all.
    """
    plain = _dip(pixels, layout)
    return DetailDip(plain, plain if blank is None else plain / _dip(blank, layout))


def _dip(pixels: Floats, layout: Layout) -> float:
    detail = pixels - _blurred(pixels, DETAIL_SIGMA)
    energy = (detail.astype(np.float64) ** 2).mean(2)
    masks = (layout.centres(), layout.interior(MARGIN))
    if not all(mask.any() for mask in masks):
        return 1.0
    centre, inside = (max(FLOOR, float(np.sqrt(energy[mask].mean()))) for mask in masks)
    return centre / inside


@dataclass(frozen=True)
class Periodicity:
    """`z`: how many standard deviations the correlation at the tile stride lies from that at other distances."""

    z: float
    correlation: float


def grid_periodicity(change: Floats, layout: Layout) -> Periodicity:
    """Autocorrelation of the change's detail at the tile stride, against its distribution at other distances.

    For each stride that occurs, across and down, the same correlation at distances up to half shorter and up to three
    quarters longer, by whole periods of the model's grid, other strides left out, tells what chance and the picture's
    own pattern give. The strides' z are pooled: their sum over the root of their number. Change below the floor has no
    pattern.
    """
    detail = change - _blurred(change, 2 * DETAIL_SIGMA)
    if float(np.sqrt((detail.astype(np.float64) ** 2).mean())) < FLOOR:
        return Periodicity(0.0, 0.0)
    across, down = _autocorrelation(detail)
    found = [
        one
        for values, axis in ((across, layout.across), (down, layout.down))
        for stride in sorted(set(axis.strides))
        if (one := _at_stride(values, stride, axis, layout.period)) is not None
    ]
    if not found:
        return Periodicity(0.0, 0.0)
    z = sum(one.z for one in found) / len(found) ** 0.5
    return Periodicity(z, sum(one.correlation for one in found) / len(found))


def _autocorrelation(pixels: Floats) -> tuple[Doubles, Doubles]:
    """Correlation with itself moved right, and moved down, by 0, 1, 2... pixels; 1 at 0."""
    height, width = pixels.shape[:2]
    shape = (next_fast_len(2 * height), next_fast_len(2 * width))
    power = np.zeros((shape[0], shape[1] // 2 + 1))
    for channel in range(pixels.shape[2]):
        power += np.abs(rfft2(pixels[..., channel].astype(np.float64), shape)) ** 2
    sums = irfft2(power, shape)
    # Each distance is a mean over the pairs that are that far apart.
    across = sums[0, :width] / (sums[0, 0] * np.arange(width, 0, -1) / width)
    down = sums[:height, 0] / (sums[0, 0] * np.arange(height, 0, -1) / height)
    return across, down


def _at_stride(values: Doubles, stride: int, axis: AxisLayout, period: int) -> Periodicity | None:
    """None where too few other distances are left to tell what is usual."""
    near = stride // 2 // period * period
    longest = int(0.9 * axis.length)
    lags = [
        lag
        for lag in range(stride - near, stride + near * 3 // 2 + 1, period)
        if lag not in axis.strides and lag < longest
    ]
    others = [lag for lag in lags if lag not in axis.strides]
    if len(others) < LEAST_DISTANCES:
        return None
    usual = values[others]
    correlation = float(values[stride])
    return Periodicity((correlation - float(usual.mean())) / max(float(usual.std(ddof=1)), 1e-9), correlation)


@dataclass(frozen=True)
class ColourShift:
    """CIEDE2000 of two pictures' colours."""

    mean: float
    p95: float


def colour_shift(before: Floats, after: Floats) -> ColourShift:
    """CIEDE2000 of both low-passed (Gaussian of COLOUR_SIGMA pixels): mean and 95th percentile over the pixels."""
    lab = (rgb2lab(np.clip(_blurred(pixels, COLOUR_SIGMA), 0, 1)) for pixels in (before, after))
    distance = deltaE_ciede2000(*lab)
    return ColourShift(float(distance.mean()), float(np.percentile(distance, 95)))


@dataclass(frozen=True)
class Fidelity:
    """How much a picture, made small again, is like the one it was made from: PSNR in dB, SSIM."""

    psnr: float
    ssim: float


def fidelity(enlarged: Floats, source: Floats) -> Fidelity:
    """The picture reduced by whole-number block means to the size of its source, against that source."""
    factor = enlarged.shape[0] // source.shape[0]
    if enlarged.shape[:2] != (source.shape[0] * factor, source.shape[1] * factor):
        raise ValueError(f"{enlarged.shape[:2]} is no whole multiple of {source.shape[:2]}")
    blocks = enlarged.reshape(source.shape[0], factor, source.shape[1], factor, 3)
    small = blocks.mean((1, 3), dtype=np.float64).astype(np.float32)
    error = float(((small.astype(np.float64) - source) ** 2).mean())
    ssim = structural_similarity(small, source, channel_axis=2, data_range=1.0)
    return Fidelity(float("inf") if error == 0 else -10 * float(np.log10(error)), float(ssim))


def _blurred(pixels: Floats, sigma: float) -> Floats:
    return np.asarray(gaussian_filter(pixels, (sigma, sigma, 0), mode="reflect"), np.float32)
