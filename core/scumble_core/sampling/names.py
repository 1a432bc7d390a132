"""The samplers' and schedules' names and cost, for whoever must check one without importing torch."""

SAMPLER_NAMES = (
    "euler", "euler_ancestral", "heun", "ddim", "lcm", "dpmpp_2s_ancestral", "dpmpp_sde", "dpmpp_2m", "dpmpp_2m_sde",
    "dpmpp_3m_sde", "uni_pc",
)  # fmt: skip
# These ask the model twice in every step.
TWO_CALLS = frozenset({"heun", "dpmpp_2s_ancestral", "dpmpp_sde"})
SCHEDULE_NAMES = ("exponential", "karras", "normal", "simple", "sgm_uniform", "ddim_uniform", "beta")
