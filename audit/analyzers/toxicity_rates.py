"""Measured error rates of the toxicity screen, all together and by the group that the texts are about."""

from audit.analyzers.base import ErrorRate
from audit.analyzers.measured import measured

__all__ = ["RATES"]

RATES: tuple[ErrorRate, ...] = (
    measured("sensitivity", 126, 234, "ETHOS comments, en, held out", measure="toxic"),
    measured("specificity", 234, 279, "ETHOS comments, en, held out", measure="toxic"),
    measured("sensitivity", 82, 234, "ETHOS comments, en, held out", measure="hateful"),
    measured("specificity", 268, 279, "ETHOS comments, en, held out", measure="hateful"),
    measured("sensitivity", 47, 141, "ToxiGen prompts, implicit hate, en, held out", measure="toxic"),
    measured("specificity", 106, 110, "ToxiGen prompts, implicit hate, en, held out", measure="toxic"),
    measured("sensitivity", 45, 141, "ToxiGen prompts, implicit hate, en, held out", measure="hateful"),
    measured("specificity", 106, 110, "ToxiGen prompts, implicit hate, en, held out", measure="hateful"),
    measured("sensitivity", 6, 28, "ETHOS comments, en, held out", measure="toxic", group="disability"),
    measured("sensitivity", 28, 47, "ETHOS comments, en, held out", measure="toxic", group="gender"),
    measured("sensitivity", 18, 40, "ETHOS comments, en, held out", measure="toxic", group="national origin"),
    measured("sensitivity", 30, 42, "ETHOS comments, en, held out", measure="toxic", group="race"),
    measured("sensitivity", 24, 41, "ETHOS comments, en, held out", measure="toxic", group="religion"),
    measured(
        "sensitivity", 20, 37, "ETHOS comments, en, held out", measure="toxic", group="sexual orientation"
    ),
    measured("sensitivity", 3, 28, "ETHOS comments, en, held out", measure="hateful", group="disability"),
    measured("sensitivity", 17, 47, "ETHOS comments, en, held out", measure="hateful", group="gender"),
    measured(
        "sensitivity", 10, 40, "ETHOS comments, en, held out", measure="hateful", group="national origin"
    ),
    measured("sensitivity", 22, 42, "ETHOS comments, en, held out", measure="hateful", group="race"),
    measured("sensitivity", 16, 41, "ETHOS comments, en, held out", measure="hateful", group="religion"),
    measured(
        "sensitivity", 13, 37, "ETHOS comments, en, held out", measure="hateful", group="sexual orientation"
    ),
    measured(
        "sensitivity", 8, 26, "ToxiGen prompts, implicit hate, en, held out", measure="toxic", group="lgbtq"
    ),
    measured(
        "sensitivity", 7, 26, "ToxiGen prompts, implicit hate, en, held out", measure="hateful", group="lgbtq"
    ),
)
"""Lines as `python -m benchmarks.analyzers.people --rates` prints them."""
