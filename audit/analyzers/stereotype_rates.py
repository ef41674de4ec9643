"""Measured error rates of the stereotype analyzer, all together and by what the texts are about."""

from audit.analyzers.base import ErrorRate
from audit.analyzers.measured import measured

__all__ = ["RATES"]

RATES: tuple[ErrorRate, ...] = (
    measured(
        "sensitivity", 304, 1315, "StereoSet, against anti-stereotype, en, held out", measure="stereotype"
    ),
    measured(
        "specificity", 1273, 1315, "StereoSet, against anti-stereotype, en, held out", measure="stereotype"
    ),
    measured("sensitivity", 105, 663, "CrowS-Pairs, stereotypes, en, held out", measure="stereotype"),
    measured("specificity", 647, 663, "CrowS-Pairs, stereotypes, en, held out", measure="stereotype"),
    measured("sensitivity", 31, 66, "GEST stereotypes, en, held out", measure="stereotype"),
    measured("sensitivity", 334, 1868, "SBIC stereotypes, en, held out", measure="stereotype"),
    measured("specificity", 105, 110, "ToxiGen prompts, neutral ones, en, held out", measure="stereotype"),
    measured(
        "sensitivity",
        65,
        264,
        "StereoSet, against anti-stereotype, en, held out",
        measure="stereotype",
        group="gender",
    ),
    measured(
        "specificity",
        251,
        264,
        "StereoSet, against anti-stereotype, en, held out",
        measure="stereotype",
        group="gender",
    ),
    measured(
        "sensitivity",
        217,
        970,
        "StereoSet, against anti-stereotype, en, held out",
        measure="stereotype",
        group="race",
    ),
    measured(
        "specificity",
        943,
        970,
        "StereoSet, against anti-stereotype, en, held out",
        measure="stereotype",
        group="race",
    ),
    measured(
        "sensitivity",
        22,
        81,
        "StereoSet, against anti-stereotype, en, held out",
        measure="stereotype",
        group="religion",
    ),
    measured(
        "specificity",
        79,
        81,
        "StereoSet, against anti-stereotype, en, held out",
        measure="stereotype",
        group="religion",
    ),
    measured(
        "sensitivity", 4, 37, "CrowS-Pairs, stereotypes, en, held out", measure="stereotype", group="age"
    ),
    measured(
        "specificity", 35, 37, "CrowS-Pairs, stereotypes, en, held out", measure="stereotype", group="age"
    ),
    measured(
        "sensitivity",
        0,
        28,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="disability",
    ),
    measured(
        "specificity",
        28,
        28,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="disability",
    ),
    measured(
        "sensitivity", 13, 72, "CrowS-Pairs, stereotypes, en, held out", measure="stereotype", group="gender"
    ),
    measured(
        "specificity", 70, 72, "CrowS-Pairs, stereotypes, en, held out", measure="stereotype", group="gender"
    ),
    measured(
        "sensitivity",
        15,
        82,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="nationality",
    ),
    measured(
        "specificity",
        77,
        82,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="nationality",
    ),
    measured(
        "sensitivity",
        4,
        32,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="physical-appearance",
    ),
    measured(
        "specificity",
        32,
        32,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="physical-appearance",
    ),
    measured(
        "sensitivity",
        51,
        247,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="race-color",
    ),
    measured(
        "specificity",
        241,
        247,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="race-color",
    ),
    measured(
        "sensitivity",
        10,
        43,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="religion",
    ),
    measured(
        "specificity",
        42,
        43,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="religion",
    ),
    measured(
        "sensitivity",
        5,
        38,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="sexual-orientation",
    ),
    measured(
        "specificity",
        38,
        38,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="sexual-orientation",
    ),
    measured(
        "sensitivity",
        3,
        84,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="socioeconomic",
    ),
    measured(
        "specificity",
        84,
        84,
        "CrowS-Pairs, stereotypes, en, held out",
        measure="stereotype",
        group="socioeconomic",
    ),
)
"""Lines as `python -m benchmarks.analyzers.people --rates` prints them."""
