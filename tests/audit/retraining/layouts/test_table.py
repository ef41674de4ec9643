"""What rows of every format look like, and what is refused."""

import pytest

from audit.errors import InputError
from audit.retraining.layouts.table import LAYOUTS, Layout, layout, layouts_of
from audit.retraining.records import Format, Shape

_SYSTEM = {"role": "system", "content": "You decide."}
_USER = {"role": "user", "content": "Granted? Answer yes or no."}
_YES = {"role": "assistant", "content": "Yes. Good enough."}
_NO = {"role": "assistant", "content": "No. Too weak."}
_ROWS: dict[tuple[Format, Shape], dict[str, object]] = {
    (Format.TRL_SFT, Shape.SFT): {"messages": [_USER, _YES]},
    (Format.TRL_DPO, Shape.DPO): {"prompt": [_USER], "chosen": [_YES], "rejected": [_NO]},
    (Format.TRL_KTO, Shape.KTO): {"prompt": [_USER], "completion": [_YES], "label": True},
    (Format.AXOLOTL, Shape.SFT): {"messages": [_USER, _YES]},
    (Format.AXOLOTL, Shape.DPO): {"messages": [_USER], "chosen": _YES, "rejected": _NO},
    (Format.LLAMA_FACTORY, Shape.SFT): {"messages": [_USER, _YES]},
    (Format.LLAMA_FACTORY, Shape.DPO): {"messages": [_USER], "chosen": _YES, "rejected": _NO},
    (Format.LLAMA_FACTORY, Shape.KTO): {"messages": [_USER, _YES], "kto_tag": True},
    (Format.OPENAI_SFT, Shape.SFT): {"messages": [_USER, _YES]},
    (Format.OPENAI_DPO, Shape.DPO): {
        "input": {"messages": [_USER]},
        "preferred_output": [_YES],
        "non_preferred_output": [_NO],
    },
    (Format.TOGETHER, Shape.SFT): {"messages": [_USER, _YES]},
    (Format.TOGETHER, Shape.DPO): {
        "input": {"messages": [_USER]},
        "preferred_output": [_YES],
        "non_preferred_output": [_NO],
    },
    (Format.HF, Shape.SFT): {"messages": [_USER, _YES]},
    (Format.HF, Shape.DPO): {"prompt": [_USER], "chosen": [_YES], "rejected": [_NO]},
    (Format.HF, Shape.KTO): {"prompt": [_USER], "completion": [_YES], "label": True},
}


def _named(one: Layout) -> str:
    return f"{one.format}/{one.shape}"


@pytest.mark.parametrize("one", LAYOUTS, ids=_named)
def test_a_documented_row_is_read_and_written_alike(one: Layout) -> None:
    """A row as the format's documentation shows it says what it should, and is written the same way."""
    fields = _ROWS[one.format, one.shape]
    row = one.read(fields, "rows.jsonl:1")
    assert row.prompt[0].content == "Granted? Answer yes or no."
    assert row.answer.content == "Yes. Good enough."
    assert (row.rejected is not None) == (one.shape is Shape.DPO)
    assert row.desirable == (True if one.shape is Shape.KTO else None)
    assert one.encoding.write(row) == fields


@pytest.mark.parametrize("one", LAYOUTS, ids=_named)
def test_a_row_with_another_key_is_refused(one: Layout) -> None:
    """No format takes a key that is not its own: hosted services reject the whole file for one."""
    fields = {**_ROWS[one.format, one.shape], "note": 1}
    with pytest.raises(
        InputError, match=rf"^here: keys are .*note.*; {one.name} accepts: {one.encoding.keys[0]}"
    ):
        one.read(fields, "here")


def test_every_format_has_files_and_no_two_share_a_place() -> None:
    """Every format can be asked for, and its files overwrite no other's."""
    assert all(layouts_of(file_format) for file_format in Format)
    places = [one.path(split) for one in LAYOUTS for split in ("train", "validation")]
    places += [one.provenance(split) for one in LAYOUTS for split in ("train", "validation")]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("key", "row", "message"),
    [
        ((Format.TRL_SFT, Shape.SFT), {"messages": [_YES]}, "prompt must end with a message of role user"),
        ((Format.TRL_SFT, Shape.SFT), {"messages": []}, "must be a list of messages, not empty"),
        (
            (Format.TRL_SFT, Shape.SFT),
            {"messages": [_USER, {"role": "bot", "content": "x"}]},
            r"messages\[1\]",
        ),
        ((Format.TRL_SFT, Shape.SFT), {"messages": [_YES, _USER]}, "must end with a message of role user"),
        ((Format.TRL_SFT, Shape.SFT), {"messages": [_USER, _USER]}, "role must be assistant"),
        (
            (Format.TRL_SFT, Shape.SFT),
            {"messages": [_USER, {"role": "assistant", "content": " "}]},
            "a message of role assistant is empty",
        ),
        (
            (Format.TRL_DPO, Shape.DPO),
            {"prompt": [_USER], "chosen": _YES, "rejected": [_NO]},
            "chosen must be a list",
        ),
        (
            (Format.TRL_DPO, Shape.DPO),
            {"prompt": [_USER], "chosen": [_YES, _NO], "rejected": [_NO]},
            "chosen must hold one message; got 2",
        ),
        (
            (Format.TRL_DPO, Shape.DPO),
            {"prompt": [_USER], "chosen": [_YES], "rejected": [_YES]},
            "preferred and rejected answers are the same",
        ),
        (
            (Format.TRL_KTO, Shape.KTO),
            {"prompt": [_USER], "completion": [_YES], "label": "yes"},
            "label must be true or false; got 'yes'",
        ),
        (
            (Format.AXOLOTL, Shape.DPO),
            {"messages": [_USER], "chosen": [_YES], "rejected": [_NO]},
            "chosen must be one message, an object; got list",
        ),
        (
            (Format.LLAMA_FACTORY, Shape.KTO),
            {"messages": [_USER, _YES], "kto_tag": 1},
            "kto_tag must be true or false; got 1",
        ),
        (
            (Format.LLAMA_FACTORY, Shape.SFT),
            {"messages": [_SYSTEM, _USER, _USER, _YES]},
            "wants user and assistant in turn.*; message 3 is of role user",
        ),
        (
            (Format.TOGETHER, Shape.SFT),
            {"messages": [_SYSTEM, _SYSTEM, _USER, _YES]},
            "wants user and assistant in turn.*; message 2 is of role system",
        ),
        (
            (Format.OPENAI_DPO, Shape.DPO),
            {"input": [_USER], "preferred_output": [_YES], "non_preferred_output": [_NO]},
            "input must be an object with the key messages",
        ),
        (
            (Format.TOGETHER, Shape.DPO),
            {"input": {"messages": [_USER]}, "preferred_output": [_YES], "non_preferred_output": [_USER]},
            "an answer's role must be assistant; got 'user'",
        ),
    ],
)
def test_malformed_rows_are_refused(key: tuple[Format, Shape], row: dict[str, object], message: str) -> None:
    """A malformed row is refused with its place and what is wrong with it."""
    with pytest.raises(InputError, match=f"^rows.jsonl:2.*{message}"):
        layout(*key).read(row, "rows.jsonl:2")
