"""Measured error rates of the stereotype analyzer, all together and by what the texts are about."""

from audit.analyzers.base import ErrorRate
from audit.analyzers.measured import measured_by_group

__all__ = ["RATES"]

RATES: tuple[ErrorRate, ...] = (
    *measured_by_group(
        "stereotype",
        {
            "StereoSet, against anti-stereotype, en, held out": {
                None: ((304, 1315), (1273, 1315)),
                "gender": ((65, 264), (251, 264)),
                "race": ((217, 970), (943, 970)),
                "religion": ((22, 81), (79, 81)),
            },
            "CrowS-Pairs, stereotypes, en, held out": {
                None: ((105, 663), (647, 663)),
                "age": ((4, 37), (35, 37)),
                "disability": ((0, 28), (28, 28)),
                "gender": ((13, 72), (70, 72)),
                "nationality": ((15, 82), (77, 82)),
                "physical-appearance": ((4, 32), (32, 32)),
                "race-color": ((51, 247), (241, 247)),
                "religion": ((10, 43), (42, 43)),
                "sexual-orientation": ((5, 38), (38, 38)),
                "socioeconomic": ((3, 84), (84, 84)),
            },
            "GEST stereotypes, en, held out": {
                None: ((31, 66), None),
            },
            "SBIC stereotypes, en, held out": {
                None: ((334, 1868), None),
            },
            "ToxiGen prompts, neutral ones, en, held out": {
                None: (None, (105, 110)),
            },
        },
    ),
    *measured_by_group(
        "profession_stereotype",
        {
            "StereoSet, professions, against anti-stereotype, en, held out": {
                None: ((455, 802), (692, 802)),
            },
        },
    ),
)
"""As `python -m benchmarks.analyzers.people --rates` prints them."""
