"""Real models that are watched: their calls are counted, and they fail when they are told to."""

from dataclasses import dataclass, field


@dataclass
class Watched:
    """Stands in for a ModelCache. Calls beyond `after`, with a latent side above `most`, raise `error`.

    `enlarged`: calls of upscalers.
    """

    models: object
    error: Exception | None = None
    after: int = 0
    most: int = 0
    calls: int = 0
    batches: list = field(default_factory=list)
    enlarged: int = 0

    def __post_init__(self):
        self.device = self.models.device

    def upscaler(self, upscaler):
        return _Upscaler(self.models.upscaler(upscaler), self)

    data = None
    loaded = ()

    def settle(self, offload, wanted):
        self.models.settle(offload, wanted)

    def relieve(self):
        return None

    def upscaler_facts(self, upscaler):
        return self.models.upscaler_facts(upscaler)

    def latent_model(self, *which):
        return _Model(self.models.latent_model(*which), self)

    def sketcher(self, family):
        return self.models.sketcher(family)

    def controlnet(self, controlnet, base):
        return self.models.controlnet(controlnet, base)


class _Upscaler:
    def __init__(self, upscaler, watched):
        self._upscaler, self._watched, self.scale = upscaler, watched, upscaler.scale

    def __call__(self, pixels):
        self._watched.enlarged += 1
        return self._upscaler(pixels)


class _Model:
    def __init__(self, model, watched):
        self._model, self._watched = model, watched

    def __getattr__(self, name):
        return getattr(self._model, name)

    def denoise(self, x, sigma, conditioning):
        watched = self._watched
        watched.calls += 1
        watched.batches.append(len(x))
        if watched.error is not None and watched.calls > watched.after and max(x.shape[-2:]) > watched.most:
            raise watched.error
        return self._model.denoise(x, sigma, conditioning)
