"""Measured error rates of the toxicity screen, all together and by the group that the texts are about."""

from audit.analyzers.base import ErrorRate
from audit.analyzers.measured import measured_by_group

__all__ = ["RATES"]

RATES: tuple[ErrorRate, ...] = (
    *measured_by_group(
        "toxic",
        {
            "ETHOS comments, en, held out": {
                None: ((126, 234), (234, 279)),
                "disability": ((6, 28), None),
                "gender": ((28, 47), None),
                "national origin": ((18, 40), None),
                "race": ((30, 42), None),
                "religion": ((24, 41), None),
                "sexual orientation": ((20, 37), None),
            },
            "ToxiGen prompts, implicit hate, en, held out": {
                None: ((47, 141), (106, 110)),
                "lgbtq": ((8, 26), None),
            },
        },
    ),
    *measured_by_group(
        "hateful",
        {
            "ETHOS comments, en, held out": {
                None: ((82, 234), (268, 279)),
                "disability": ((3, 28), None),
                "gender": ((17, 47), None),
                "national origin": ((10, 40), None),
                "race": ((22, 42), None),
                "religion": ((16, 41), None),
                "sexual orientation": ((13, 37), None),
            },
            "ToxiGen prompts, implicit hate, en, held out": {
                None: ((45, 141), (106, 110)),
                "lgbtq": ((7, 26), None),
            },
        },
    ),
)
"""As `python -m benchmarks.analyzers.people --rates` prints them."""
