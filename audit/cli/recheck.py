"""`evenhand recheck`: published claims, re-scored from their own released outputs."""

from pathlib import Path

import click

from audit.cli.console import data, say, table, warn
from audit.cli.options import json_option
from audit.errors import InputError
from audit.recheck import (
    Card,
    Cards,
    load_claim,
    read_card,
    recheck,
    recompute,
    shipped_claims,
    write_cards,
)
from audit.recheck.page import card_rows

__all__ = ["recheck_command"]

_DIFFERENT = 1


@click.command("recheck")
@click.argument("claims", metavar="CLAIM...", nargs=-1)
@click.option(
    "--data",
    "folders",
    type=click.Path(path_type=Path, file_okay=False),
    default=(Path(),),
    show_default="the current folder",
    multiple=True,
    help="Folder that holds files of released outputs; repeat for several, looked through in order.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the cards as JSON, Markdown and HTML; made if it does not exist.",
)
@click.option("--list", "listed", is_flag=True, help="List the shipped claims.")
@json_option
def recheck_command(
    claims: tuple[str, ...], folders: tuple[Path, ...], out: Path | None, listed: bool, as_json: bool
) -> int:
    """Re-score published claims from their own released outputs.

    CLAIM is a claim file in YAML, the name of a shipped claim, or a card in JSON that was made before,
    which is then recomputed.
    """
    if listed:
        return _list(as_json=as_json)
    if not claims:
        raise InputError(
            "CLAIM: name at least one claim file, shipped claim or card", next_step="evenhand recheck --list"
        )
    made_before = [given for given in claims if Path(given).suffix.lower() == ".json"]
    if made_before and (len(made_before) < len(claims) or out is not None):
        raise InputError(
            "cards are recomputed by themselves: give claims or cards, and no --out with cards",
            next_step=f"evenhand recheck {made_before[0]}",
        )
    if made_before:
        return _recompute(made_before, folders, as_json=as_json)
    cards = recheck([load_claim(given) for given in claims], folders)
    if as_json:
        data(Cards(cards=cards))
    else:
        for card in cards:
            _show(card)
    if out is not None:
        for path in write_cards(cards, out):
            say(f"written: {path}")
    return 0


def _list(*, as_json: bool) -> int:
    if as_json:
        data({"claims": shipped_claims()})
    else:
        table(["name", "claim"], [[name, load_claim(name).claim.claim] for name in shipped_claims()])
    return 0


def _recompute(given: list[str], folders: tuple[Path, ...], *, as_json: bool) -> int:
    checked = [(name, recompute(read_card(Path(name)), folders)) for name in given]
    if as_json:
        data(
            {
                "cards": [
                    {"card": name, "agrees": not one.differences, "differences": list(one.differences)}
                    for name, one in checked
                ]
            }
        )
    for name, one in checked:
        if one.differences:
            warn(f"{name}: does not recompute")
            for line in one.differences:
                say(f"  {line}")
        else:
            say(f"{name}: recomputed, and every number agrees")
    return _DIFFERENT if any(one.differences for _, one in checked) else 0


def _show(card: Card) -> None:
    say(card.claim.name)
    say(f"  {card.claim.claim}")
    width = max(len(name) for name, _ in card_rows(card))
    for name, text in card_rows(card):
        say(f"  {name.ljust(width)}  {text}")
    say(f"  {card.outcome}: {card.verdict}")
    say("  What this does not show:")
    for one in card.cannot_show:
        say(f"  - {one}")
    say()
