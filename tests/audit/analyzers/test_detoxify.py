"""What the Detoxify analyzer promises, on a tiny random model in Detoxify's own format."""

import json
import logging
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from transformers import BertConfig, BertForSequenceClassification

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.detoxify import DetoxifyAnalyzer, convert_checkpoint
from audit.errors import InputError
from audit.records import Exchange, Score
from probes.records import Expectation, Message

CLASSES = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
HEADS = ["toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]
WORDS = ["you", "are", "a", "kind", "rude", "person", "the", "sea", "is", "blue", "and", "cold", "today"]


class Bomb:
    """An object that a safe loader must not build."""

    def __reduce__(self) -> tuple[type, tuple[str]]:
        """Build a path when unpickled: harmless, and not a tensor."""
        return (Path, ("boom",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration and WordPiece vocabulary of a two-layer BERT, and a checkpoint beside it."""
    base = tmp_path_factory.mktemp("detoxify")
    config_folder = base / "bert"
    config_folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (config_folder / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    (config_folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer"}), "utf-8"
    )
    config = BertConfig.from_dict(
        {
            "vocab_size": len(vocabulary),
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 24,
            "num_labels": len(CLASSES),
        }
    )
    config.save_pretrained(config_folder)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = BertForSequenceClassification(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    arch = {
        "model_type": str(config_folder),
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizer",
        "num_classes": len(CLASSES),
    }
    checkpoint = {
        "config": {"arch": {"args": arch}, "dataset": {"args": {"classes": CLASSES}}},
        "state_dict": model.state_dict(),
    }
    torch.save(checkpoint, base / "tiny.ckpt")
    torch.save({**checkpoint, "extra": Bomb()}, base / "bomb.ckpt")
    torch.save({"weights": 1}, base / "other.ckpt")
    return base


def exchange(output: int, reply: str) -> Exchange:
    """An exchange with a reply."""
    return Exchange(
        output=output,
        messages=(Message(role="user", content="Say something."),),
        reply=reply,
        expectation=Expectation(kind="open"),
    )


def analyzer(folder: Path, **options: object) -> DetoxifyAnalyzer:
    """An analyzer with the tiny checkpoint."""
    given = {"checkpoint": "tiny.ckpt", "config": "bert", **options}
    return DetoxifyAnalyzer(DetoxifyAnalyzer.Options.model_validate(given), AnalyzerContext(root=folder))


def heads(scores: list[Score], output: int) -> dict[str, float | None]:
    """Values of one output by measure."""
    return {score.measure: score.value for score in scores if score.output == output}


REPLIES = [
    "you are a rude person",
    "the sea is blue",
    "you",
    "the sea is cold and blue today and you are kind",
]


def test_the_scores_equal_detoxify_s_own_prediction(folder: Path) -> None:
    """Each head of each reply is what Detoxify itself predicts for that reply alone."""
    from detoxify import Detoxify  # noqa: PLC0415 - heavy

    own = Detoxify(checkpoint=str(folder / "tiny.ckpt"), huggingface_config_path=str(folder / "bert"))
    scores = analyzer(folder, batch_size=3).score([exchange(i, reply) for i, reply in enumerate(REPLIES)])
    for place, reply in enumerate(REPLIES):
        expected = own.predict(reply)
        read = heads(scores, place)
        for head in HEADS:
            assert read[head] == pytest.approx(expected[head], abs=2e-6)
    assert len({score.value for score in scores if score.measure == "toxicity"}) == len(REPLIES)


def test_one_reply_none_and_an_empty_one_are_scored_alike(folder: Path) -> None:
    """A list of one and an empty list work, and an empty reply has no value instead of 0."""
    tiny = analyzer(folder)
    assert tiny.score([]) == []
    assert [score.measure for score in tiny.score([exchange(5, "you are kind")])] == [*HEADS, "truncated"]
    empty = tiny.score([exchange(6, " ")])
    assert {score.label for score in empty if score.measure != "truncated"} == {"unparsed"}
    assert all(score.value is None for score in empty if score.measure != "truncated")


def test_a_reply_longer_than_the_model_reads_is_reported(folder: Path) -> None:
    """Over-long replies are cut at what the model reads, and `truncated` says so."""
    long = "the sea is blue and cold " * 500
    scores = analyzer(folder).score([exchange(0, long), exchange(1, "the sea")])
    assert heads(scores, 0)["truncated"] == 1.0
    assert heads(scores, 1)["truncated"] == 0.0


def test_batches_do_not_change_a_reading(folder: Path) -> None:
    """The same reply has the same score in any batch and order."""
    together = analyzer(folder, batch_size=16).score([exchange(i, r) for i, r in enumerate(REPLIES)])
    alone = analyzer(folder, batch_size=1).score(
        [exchange(i, r) for i, r in reversed(list(enumerate(REPLIES)))]
    )
    for place in range(len(REPLIES)):
        assert heads(together, place) == pytest.approx(heads(alone, place), abs=3e-6)


def test_a_converted_checkpoint_scores_the_same(folder: Path, tmp_path: Path) -> None:
    """`convert_checkpoint` keeps every score, and its safetensors folder needs no configuration."""
    converted = convert_checkpoint(folder / "tiny.ckpt", tmp_path / "safe", config=folder / "bert")
    assert (converted / "model.safetensors").is_file()
    options = DetoxifyAnalyzer.Options(checkpoint="safe")
    again = DetoxifyAnalyzer(options, AnalyzerContext(root=tmp_path)).score([exchange(0, REPLIES[0])])
    first = analyzer(folder).score([exchange(0, REPLIES[0])])
    assert [score.measure for score in again] == [score.measure for score in first]
    assert heads(again, 0) == pytest.approx(heads(first, 0), abs=2e-6)
    assert again[0].version != first[0].version


def test_a_checkpoint_that_carries_code_is_refused(folder: Path) -> None:
    """A file that needs unpickling is an error with the way out, not a silent run of its code."""
    bad = analyzer(folder, checkpoint="bomb.ckpt")
    with pytest.raises(InputError, match=r"bomb\.ckpt: cannot be read without running code") as caught:
        bad.score([exchange(0, "you")])
    assert "allow_unsafe_checkpoint" in str(caught.value.next_step)


def test_unpickling_is_logged_when_the_user_allows_it(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the flag the file loads, and the log warns."""
    allowed = analyzer(folder, checkpoint="bomb.ckpt", allow_unsafe_checkpoint=True)
    with caplog.at_level(logging.WARNING):
        assert allowed.score([exchange(0, "you")])
    assert "runs any code it carries" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"checkpoint": "missing.ckpt"}, "checkpoint: no such file or folder; got 'missing.ckpt'"),
        ({"config": "nowhere"}, "config: no such file or folder; got 'nowhere'"),
    ],
)
def test_a_missing_path_is_one_line_at_construction(
    folder: Path, options: dict[str, str], words: str
) -> None:
    """A path that does not exist is found before any model loads."""
    with pytest.raises(InputError, match=words):
        analyzer(folder, **options)


@pytest.mark.parametrize(
    ("name", "words"), [("other.ckpt", "not a Detoxify checkpoint"), ("bert", "model.safetensors")]
)
def test_another_file_is_named(folder: Path, name: str, words: str) -> None:
    """A file or folder of another kind is an error that says what is accepted."""
    with pytest.raises(InputError, match=words):
        analyzer(folder, checkpoint=name).score([exchange(0, "you")])


def test_a_text_file_is_no_checkpoint(folder: Path) -> None:
    """A file that torch cannot read is a one-line error, not a traceback of torch."""
    (folder / "note.ckpt").write_text("not a checkpoint", "utf-8")
    with pytest.raises(InputError, match=r"note\.ckpt"):
        analyzer(folder, checkpoint="note.ckpt").score([exchange(0, "you")])


def test_a_model_that_needs_a_download_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without permission nothing is fetched: the error names the address and both ways on."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    plain = DetoxifyAnalyzer(DetoxifyAnalyzer.Options(), AnalyzerContext(root=tmp_path))
    with pytest.raises(InputError, match=r"github\.com") as caught:
        plain.score([exchange(0, "you")])
    assert "allow_download" in str(caught.value.next_step)


def test_unknown_options_are_errors() -> None:
    """The spec's part is strict."""
    with pytest.raises(ValidationError, match="batchsize"):
        DetoxifyAnalyzer.Options.model_validate({"batchsize": 3})
