"""Published claims, re-scored from their own released outputs with the interval their design supports."""

from audit.recheck.card import Card, Cards
from audit.recheck.claim import Claim, LoadedClaim, load_claim, shipped_claims
from audit.recheck.page import write_cards
from audit.recheck.rechecking import Recomputed, read_card, recheck, recompute

__all__ = [
    "Card",
    "Cards",
    "Claim",
    "LoadedClaim",
    "Recomputed",
    "load_claim",
    "read_card",
    "recheck",
    "recompute",
    "shipped_claims",
    "write_cards",
]
