"""A job in the way of the reference node "Mikey Sampler Tiled": phases on the whole latent, upscale, tiles, stitch."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from scumble_core.errors import Cancelled
from scumble_core.events import JobResult
from scumble_core.job import Job
from scumble_core.mikey.complexity import complexity
from scumble_core.mikey.phases import Phase, Role, tile_phase
from scumble_core.mikey.plan import ReferencePlan, plan_reference
from scumble_core.mikey.scale import truncated
from scumble_core.mikey.stitch import Stitcher
from scumble_core.mikey.upscale import enlarge, sampled
from scumble_core.mikey.walk import start_walk
from scumble_core.models.additions import Additions
from scumble_core.models.interface import Conditioning, LatentModel
from scumble_core.models.library import NONE, added_to, identity_of
from scumble_core.picture.geometry import Bounds, Extent
from scumble_core.picture.storage import Floats, Picture
from scumble_core.plan.inputs import wanted_of
from scumble_core.ready import read_words
from scumble_core.relief import Memory
from scumble_core.results import alpha_of, job_result, write_results
from scumble_core.sampling.guidance import Share, guided
from scumble_core.sampling.walk import Denoiser
from scumble_core.sampling.windows import merged
from scumble_core.stages.blend import into
from scumble_core.stages.guard import Guard
from scumble_core.stages.pace import Pace
from scumble_core.stages.prepare import work_picture, write_colour
from scumble_core.stages.store import task_key
from scumble_core.stages.upscale import TileUpscaler


def run_reference(job: Job) -> JobResult:
    """Run the job; both results are in its folder when this returns."""
    began = time.monotonic()
    plan = plan_reference(job.request, job.inputs.source.extent, wanted_of(job.request, job.inputs))
    memory = Memory.settled(plan, job.models)
    reference = _Reference(job, plan, memory)
    reference.load()
    colour = work_picture(job.work, "colour", job.inputs.source, 3)
    beyond = write_colour(job.inputs.source, colour, job.inputs.space)
    pictures = reference.run(_cropped(job, colour, plan, "taken"))
    alpha = alpha_of(job)
    # What the phases have drawn anew has nothing to do with the source's highlights any more.
    rest = None if beyond is None or plan.phases else _cropped(job, beyond, plan, "rest")
    write_results(job, plan, pictures, None if alpha is None else _cropped(job, alpha, plan, "taken-alpha"), rest)
    return job_result(job, plan, *_corner(plan), began, memory.plan)


class _Reference:
    """The stages between what was taken of the source and both pictures."""

    def __init__(self, job: Job, plan: ReferencePlan, memory: Memory) -> None:
        self._job = job
        self._plan = plan
        self._memory = memory
        self._pace = Pace(plan.seconds)
        self._prompts: dict[tuple[Role, Extent], tuple[Conditioning, Conditioning]] = {}

    def load(self) -> None:
        """All that the job takes, before any of it runs: what a file lacks may show only now."""
        job, plan = self._job, self._plan
        if plan.upscale_boxes:
            job.models.upscaler(plan.upscaler)
        for role in dict.fromkeys(("base", *(phase.role for phase in (*plan.phases, plan.tile)))):
            read_words(self._model(role), job.request, plan.boxes[0].extent)

    def run(self, taken: Picture) -> tuple[Picture, Picture]:
        """Upscaled and tiled."""
        upscaled = self._upscale(self._first(taken))
        return upscaled, self._tiles(upscaled)

    def _first(self, taken: Picture) -> Picture:
        """The phases, on the whole latent; where there are none, still through the autoencoder, as the node does."""
        job, plan = self._job, self._plan
        job.start("first_pass", max(1, len(plan.phases)))
        model = self._model("base")
        longest, box = max(taken.extent.width, taken.extent.height), taken.bounds
        guard = Guard(model, longest, self._memory.relief())
        pixels = _tensor(taken.read(box))

        def encoded() -> Tensor:
            latent = guard.encode(pixels)
            return torch.zeros_like(latent) if job.request.start == "empty" else latent

        latent = guard.finite(encoded, box)
        scale, count = plan.output.width / plan.taken.width, max(1, len(plan.phases))
        done = job.stepper("first_pass", count, plan.first_seconds, scale, plan.output, self._pace)
        for phase in plan.phases:
            latent = guard.finite(partial(self._walked, latent, phase, guard), box)
            done(box)
        out = Picture.create(job.work / "drawn.npy", taken.extent, 3, np.float32)
        out.write(box, _pixels(guard.finite(partial(guard.decode, latent), box)))
        return out

    def _upscale(self, drawn: Picture) -> Picture:
        job, plan = self._job, self._plan
        count = max(1, len(plan.upscale_boxes))
        job.start("upscale", count)
        enlarged = drawn
        if plan.upscale_boxes:
            scale = plan.output.width / plan.taken.width
            done = job.counter("upscale", count, plan.upscale_seconds, scale, plan.output, self._pace)
            # To 8 bits the node cuts, so that a value rounded up before would come out as another.
            upscaler = TileUpscaler(
                job.models.upscaler(plan.upscaler), identity_of(plan.upscaler), job.models.device, job.tiles,
                job.teller("upscale", scale, plan.output), "float32", self._memory.room(plan.upscaler),
            )  # fmt: skip
            enlarged = enlarge(drawn, job.work, upscaler, done)
        return sampled(enlarged, plan.output, job.work, job.inputs.source.dtype == np.uint8)

    def _tiles(self, upscaled: Picture) -> Picture:
        job, plan = self._job, self._plan
        job.start("tiles", len(plan.boxes))
        done = job.counter("tiles", len(plan.boxes), plan.tile_seconds, 1.0, plan.output, self._pace)
        guard = Guard(self._model("base"), max(plan.boxes[0].width, plan.boxes[0].height), self._memory.relief())
        target = Picture.create(job.work / "tiles.npy", plan.output, 3, np.float32)
        stitcher = Stitcher(plan.output.width, into(target))
        for box in plan.boxes:
            pixels = self._tile(upscaled.read(box), box, guard)
            stitcher.add(box.x, box.y, pixels)
            done(box, pixels)
        stitcher.finish()
        return target

    def _tile(self, pixels: Floats, box: Bounds, guard: Guard) -> Floats:
        """The same noise in every tile, whatever its place."""
        job, plan = self._job, self._plan
        score = complexity(truncated(pixels)) if job.request.complexity else None
        phase = tile_phase(plan.preset, plan.settings, score)
        models = [identity_of(model) for model in (job.request.base, plan.refiner)]
        prompts = [job.request.prompt, job.request.negative_prompt]
        settings = {
            "phase": str(phase), "models": models, "prompts": prompts, "device": job.models.device.kind,
            **added_to(job.request, self._model("base").facts.family),
        }  # fmt: skip
        key = task_key({**settings, "seed": job.request.seed}, pixels)
        tensor = _tensor(pixels)

        def refined() -> Floats:
            latent = partial(self._walked, phase=phase, guard=guard)
            return _pixels(guard.finite(lambda: guard.decode(latent(guard.encode(tensor))), box))

        return job.tiles.fetch(key, box, refined, job.teller("tiles", 1.0, plan.output))

    def _walked(self, latent: Tensor, phase: Phase, guard: Guard) -> Tensor:
        """The latent after the phase."""
        model = self._model(phase.role)
        walk = start_walk(latent, phase, self._job.request.seed, model.sigma_table)
        if walk is None:
            return latent
        factor = model.facts.factor
        extent = Extent(latent.shape[-1] * factor, latent.shape[-2] * factor)
        windows = guard.windows(extent, factor)
        positive, negative = self._encoded_prompts(phase.role, extent)
        denoise: Denoiser = guided(self._cancellable(model), [Share(positive)], negative, phase.cfg)
        return walk.run(denoise if len(windows) == 1 else merged([denoise] * len(windows), windows))

    def _cancellable(self, model: LatentModel) -> Callable[[Tensor, float, Conditioning], Tensor]:
        def denoise(x: Tensor, sigma: float, conditioning: Conditioning) -> Tensor:
            if self._job.cancelled():
                raise Cancelled
            return model.denoise(x, sigma, conditioning)

        return denoise

    def _model(self, role: Role) -> LatentModel:
        request, models = self._job.request, self._job.models
        if role == "refiner":
            return models.latent_model(self._plan.refiner, NONE)
        return models.latent_model(request.base, NONE, Additions.of(request))

    def _encoded_prompts(self, role: Role, extent: Extent) -> tuple[Conditioning, Conditioning]:
        """Both prompts as the model takes them; sizes that a prompt doesn't name are the latent's own."""
        if (role, extent) not in self._prompts:
            model, request = self._model(role), self._job.request
            positive = model.encode_prompt(request.prompt, extent)
            self._prompts[role, extent] = positive, model.encode_prompt(request.negative_prompt, extent, negative=True)
        return self._prompts[role, extent]


def _cropped(job: Job, picture: Picture, plan: ReferencePlan, name: str) -> Picture:
    """The part of a picture of the source's size that is taken."""
    if plan.taken == picture.bounds:
        return picture
    out = Picture.create(job.work / f"{name}.npy", plan.taken.extent, picture.channels, picture.dtype)
    for band in out.bands():
        out.write(band, picture.read(band.translate(plan.taken.x, plan.taken.y)))
    return out


def _corner(plan: ReferencePlan) -> tuple[int, int]:
    """Where the results' corner lies on the source, at the results' own scale."""
    scale = plan.final.width / plan.taken.width
    return plan.result.x + round(plan.taken.x * scale), plan.result.y + round(plan.taken.y * scale)


def _tensor(pixels: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]


def _pixels(values: Tensor) -> Floats:
    return np.ascontiguousarray(values[0].float().cpu().clamp(0, 1).numpy().transpose(1, 2, 0))
