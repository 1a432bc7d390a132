"""Scumble's own way: first pass, upscale, tile pass, colour lock, compose."""

import shutil
import time

import numpy as np

from scumble_core.events import JobResult, Stage
from scumble_core.job import Job
from scumble_core.models.additions import Additions, controlnet_of
from scumble_core.models.interface import LatentModel
from scumble_core.models.library import NONE, added_to, identity_of
from scumble_core.picture.geometry import Bounds, Point
from scumble_core.picture.storage import Picture
from scumble_core.picture.survey import Survey, survey
from scumble_core.plan.inputs import look, plan_inputs
from scumble_core.plan.job import Plan, informed
from scumble_core.plan.passes import RefinePass
from scumble_core.plan.upscaling import UpscaleStep
from scumble_core.ready import read_words
from scumble_core.relief import Memory
from scumble_core.results import alpha_of, job_result, write_results
from scumble_core.stages.lock import Lock, lock_colour
from scumble_core.stages.maps import Maps
from scumble_core.stages.pace import Pace
from scumble_core.stages.prepare import work_picture, write_colour
from scumble_core.stages.steering import Steering, steered_until
from scumble_core.stages.tile import TileRefiner, TileSettings
from scumble_core.stages.tile_pass import TilePass, TileSeeds
from scumble_core.stages.upscale import TileUpscaler, enlarge, resized


def run_refinement(job: Job) -> JobResult:
    """Run the job; both results are in its folder when this returns."""
    began = time.monotonic()
    inputs = job.inputs
    # Once before any work, so that what can't be done is said at once; then again, with the pixels known.
    plan = plan_inputs(job.request, inputs, job.models.device.memory, job.models.upscaler_facts)
    memory = Memory.settled(plan, job.models)
    _load(job, plan)
    colour = work_picture(job.work, "colour", inputs.source, 3)
    beyond = write_colour(inputs.source, colour, inputs.space)
    surveyed = survey(colour, inputs.source)
    plan = informed(plan, look(inputs, surveyed))
    pictures = _Refinement(job, plan, surveyed, memory).run(colour)
    write_results(job, plan, pictures, alpha_of(job), None if job.request.start == "empty" else beyond)
    return job_result(job, plan, plan.result.x, plan.result.y, began, memory.plan)


def _load(job: Job, plan: Plan) -> None:
    """All that the passes take, before any of them runs: what a file lacks may show only now."""
    if not plan.largest_tile.area:
        return
    model = _model_of(job, plan)
    controlnet = controlnet_of(job.request)
    if controlnet:
        job.models.controlnet(controlnet, job.request.base)
    read_words(model, job.request, plan.largest_tile)


def _model_of(job: Job, plan: Plan) -> LatentModel:
    """Base and refiner with their handover, or the one of them that the request names."""
    request, additions = job.request, Additions.of(job.request)
    if request.tiler_model == "base":
        return job.models.latent_model(request.base, NONE, additions)
    if request.tiler_model == "refiner" and plan.refiner != NONE:
        return job.models.latent_model(plan.refiner, NONE)
    return job.models.latent_model(request.base, plan.refiner, additions)


class _Refinement:
    """The stages between the source's colour and the two pictures at the size refined at."""

    def __init__(self, job: Job, plan: Plan, surveyed: Survey, memory: Memory) -> None:
        self._job = job
        self._plan = plan
        self._survey = surveyed
        self._memory = memory
        self._pace = Pace(plan.seconds)

    def run(self, colour: Picture) -> tuple[Picture, Picture]:
        """Upscaled and refined."""
        job, plan = self._job, self._plan
        colour = self._restore(colour)
        if plan.first_pass is not None:
            refined = self._refine("first_pass", colour, plan.first_pass, 1.0)
            if job.request.start == "empty":
                self._survey = survey(refined, job.inputs.source)
            else:
                lock_colour(refined, colour, self._lock(plan.first_pass), self._origin(1.0), Bounds.of(plan.source))
            colour = refined
        upscaled = self._upscale(colour)
        if plan.tile_pass is None:
            return upscaled, upscaled
        refined = self._refine("tiles", upscaled, plan.tile_pass, plan.scale)
        lock_colour(refined, upscaled, self._lock(plan.tile_pass), self._origin(plan.scale), plan.region)
        return upscaled, refined

    def _restore(self, colour: Picture) -> Picture:
        step = self._plan.restoring
        if step is None:
            return colour
        self._job.start("restore", max(1, len(step.boxes)))
        return self._enlarge("restore", colour, (step,), self._plan.scale)

    def _upscale(self, colour: Picture) -> Picture:
        job, plan = self._job, self._plan
        job.start("upscale", max(1, len(plan.upscale_boxes)))
        large = self._enlarge("upscale", colour, plan.enlarging, plan.scale)
        return large if large.extent == plan.output else resized(large, plan.output, job.work)

    def _enlarge(self, stage: Stage, colour: Picture, steps: tuple[UpscaleStep, ...], zoom: float) -> Picture:
        """By one network after the other. `zoom`: from the picture's pixels to the output's."""
        job, plan = self._job, self._plan
        count, done_before = sum(len(step.boxes) for step in steps), 0
        for number, step in enumerate(steps):
            network = job.models.upscaler(step.model)
            upscaler = TileUpscaler(
                network, identity_of(step.model), job.models.device, job.tiles, job.teller(stage, zoom, plan.output),
                room=self._memory.room(step.model), multiple=step.multiple,
            )  # fmt: skip
            done = job.counter(
                stage, max(1, count), sum(each.seconds for each in steps), zoom, plan.output, self._pace, done_before
            )
            colour = enlarge(colour, job.work / f"{stage}-{number}.npy", upscaler, step.grid, step.boxes, done)
            done_before += len(step.boxes)
            zoom /= step.scale
        return colour

    def _refine(self, stage: Stage, picture: Picture, run: RefinePass, scale: float) -> Picture:
        """One pass over a picture that is `scale` times as large as the source."""
        job, plan = self._job, self._plan
        model = _model_of(job, plan)
        work = job.work / stage
        work.mkdir()
        tile_pass = self._tile_pass(stage, picture, run, scale, model)
        seconds, zoom = plan.pass_seconds(run), plan.scale / scale
        if run.walk.merged:
            steps = run.merged_predictions
            job.start("merge", steps)
            merging = seconds * run.walk.merged / run.walk.steps
            seconds -= merging
            stepper = job.stepper("merge", steps, merging, zoom, plan.output, self._pace)
            tile_pass.merge(work, stepper, job.teller("merge", zoom, plan.output))
        tiles = max(1, len(run.refined))
        job.start(stage, tiles)
        told = job.teller(stage, zoom, plan.output)
        target = Picture.create(job.work / f"{stage}.npy", picture.extent, 3, np.float32)
        tile_pass.refine(target, job.counter(stage, tiles, seconds, zoom, plan.output, self._pace), told)
        shutil.rmtree(work)
        return target

    def _tile_pass(self, stage: Stage, picture: Picture, run: RefinePass, scale: float, model: LatentModel) -> TilePass:
        job, request = self._job, self._job.request
        prompts = (request.prompt, *(region.prompt for region in request.regions))
        generates = stage == "first_pass" and request.start == "empty"
        settings = TileSettings(
            run.walk, run.grid.tile, prompts, request.negative_prompt, self._origin(scale), from_nothing=generates
        )
        maps = Maps(
            source=job.inputs.source.extent,
            extent=picture.extent,
            factor=model.facts.factor,
            share=run.strength * model.facts.reach,
            strength=None if generates else job.inputs.strength,
            survey=self._survey if request.complexity and not generates else None,
            regions=job.inputs.regions,
            table=model.facts.levels,
        )
        seeds = TileSeeds(request.seed, request.reseeded if stage == "tiles" else ())
        steering = None if generates else self._steering(run)
        sketcher = job.models.sketcher(model.facts.family)
        show = None if sketcher is None else job.sketches(sketcher, self._plan.scale / scale, self._plan.output)
        refiner = TileRefiner(model, settings, job.cancelled, self._memory.relief(), steering, show)
        return TilePass(picture, run, refiner, maps, seeds, job.tiles, self._task(prompts))

    def _task(self, prompts: tuple[str, ...]) -> dict[str, object]:
        """What determines a tile beside what TilePass knows."""
        job = self._job
        models = [identity_of(model) for model in (job.request.base, self._plan.refiner)]
        return {
            "models": models, "part": job.request.tiler_model, "facts": str(self._plan.facts),
            "device": job.models.device.kind, "prompts": list(prompts), "negative": job.request.negative_prompt,
            "start": job.request.start, **added_to(job.request, self._plan.facts.family),
        }  # fmt: skip

    def _steering(self, run: RefinePass) -> Steering | None:
        """With the ControlNet that the request names, for as much of the walk as it says."""
        request, controlnet = self._job.request, controlnet_of(self._job.request)
        if not controlnet:
            return None
        net = self._job.models.controlnet(controlnet, request.base)
        return Steering(net, request.controlnet_strength, steered_until(run.walk.sigmas, request.controlnet_end))

    def _lock(self, run: RefinePass) -> Lock:
        return Lock.of(self._job.request.colour_lock, run.walk.sigmas[0])

    def _origin(self, scale: float) -> Point:
        request = self._job.request
        return Point(round(request.origin_x * scale), round(request.origin_y * scale))
