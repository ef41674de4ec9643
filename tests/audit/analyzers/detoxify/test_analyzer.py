"""What the Detoxify analyzer promises, on a tiny random model in Detoxify's own format."""

import logging
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.detoxify.analyzer import DetoxifyAnalyzer
from audit.analyzers.detoxify.convert import Backend, convert_checkpoint
from audit.analyzers.detoxify.engine import Encoded, Facts, Ids, read_texts
from audit.analyzers.detoxify.model import read_facts
from audit.errors import InputError
from audit.records import Exchange, Score
from probes.records import Expectation, Message
from tests.audit.tiny_classifier import CLASSES, write_tiny

HEADS = ["toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]


class Bomb:
    """An object that a safe loader must not build."""

    def __reduce__(self) -> tuple[type, tuple[str]]:
        """Build a path when unpickled: harmless, and not a tensor."""
        return (Path, ("boom",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint, and others that must be refused."""
    base = tmp_path_factory.mktemp("detoxify")
    checkpoint = write_tiny(base)
    torch.save({**checkpoint, "extra": Bomb()}, base / "bomb.ckpt")
    torch.save({"weights": 1}, base / "other.ckpt")
    twice = {
        **cast("dict[str, object]", checkpoint["config"]),
        "dataset": {"args": {"classes": [*CLASSES[:5], "toxicity"]}},
    }
    torch.save({**checkpoint, "config": twice}, base / "twice.ckpt")
    return base


@pytest.fixture(scope="module")
def converted(folder: Path) -> Path:
    """The checkpoint converted for every backend."""
    every: tuple[Backend, ...] = ("torch", "onnx", "onnx-int8")
    return convert_checkpoint(folder / "tiny.ckpt", folder / "safe", config=folder / "bert", backends=every)


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


@pytest.mark.parametrize(("backend", "most"), [("torch", 2e-6), ("onnx", 1e-4), ("onnx-int8", 1e-2)])
def test_a_converted_checkpoint_scores_the_same(
    folder: Path, converted: Path, backend: str, most: float
) -> None:
    """Each backend keeps every score of the checkpoint, at any length, to the stated difference."""
    replies = [*REPLIES, "the sea is blue and cold " * 9, "\u00e9t\u00e9 blue"]
    asked = [exchange(place, reply) for place, reply in enumerate(replies)]
    first = analyzer(folder).score(asked)
    again = analyzer(folder, checkpoint=converted.name, config=None, backend=backend).score(asked)
    assert [score.measure for score in again] == [score.measure for score in first]
    assert [score.value for score in again] == pytest.approx([score.value for score in first], abs=most)
    assert {score.version for score in again}.isdisjoint(score.version for score in first)


def test_a_converted_folder_holds_nothing_that_runs(converted: Path) -> None:
    """Weights as safetensors and graphs, the rest as JSON or plain text; what it is stands in one file."""
    assert {path.suffix for path in converted.iterdir()} <= {".safetensors", ".json", ".onnx", ".txt"}
    facts = read_facts(converted)
    assert facts.heads == tuple(HEADS)
    assert (facts.languages, facts.most_tokens) == (("en",), 24)
    assert facts.source_sha256 is not None


def test_onnx_scores_without_torch(converted: Path) -> None:
    """A converted folder is scored where neither torch nor transformers nor detoxify is installed."""
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['torch', 'transformers', 'detoxify']))\n"
        "from pathlib import Path\n"
        "from audit.analyzers.detoxify.model import read_facts\n"
        "from audit.analyzers.detoxify.onnx import load_onnx\n"
        "from audit.analyzers.detoxify.engine import read_texts\n"
        "folder = Path(sys.argv[1])\n"
        "engine = load_onnx(folder, 'onnx-int8', read_facts(folder))\n"
        "print(len(read_texts(engine, ['you are rude'], limit=24, rows=4)[0].heads))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(converted)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == (str(len(HEADS)), 0), done.stderr


def test_a_backend_without_its_file_is_one_line(folder: Path, tmp_path: Path) -> None:
    """ONNX needs a converted folder with its graph, and the error gives the command that makes it."""
    with pytest.raises(InputError, match="backend: onnx reads a converted folder") as caught:
        analyzer(folder, backend="onnx")
    assert "analyzers convert" in str(caught.value.next_step)
    convert_checkpoint(folder / "tiny.ckpt", tmp_path / "plain", config=folder / "bert")
    plain = DetoxifyAnalyzer(
        DetoxifyAnalyzer.Options(checkpoint="plain", backend="onnx-int8"), AnalyzerContext(root=tmp_path)
    )
    with pytest.raises(InputError, match=r"no model\.int8\.onnx"):
        plain.score([exchange(0, "you")])


def test_heads_must_name_one_toxicity(folder: Path) -> None:
    """A checkpoint with two heads of one standard name is refused: neither would be the toxicity."""
    with pytest.raises(InputError, match="one of them toxicity"):
        analyzer(folder, checkpoint="twice.ckpt").score([exchange(0, "you")])


def test_other_languages_have_no_value(folder: Path) -> None:
    """A model trained on English gives no score for a German reply, unless the spec says it reads German."""
    german = exchange(0, "du").model_copy(update={"language": "de-AT"})
    assert {(s.value, s.label) for s in analyzer(folder).score([german])} == {(None, "not_read")}
    told = analyzer(folder, languages=["de"])
    assert all(score.value is not None for score in told.score([german]))
    assert told.info.version != analyzer(folder).info.version


def test_a_region_and_capitals_name_the_same_language(folder: Path) -> None:
    """`en-US` and `EN` of the spec are the language of a reply in `en`, `en-GB` and the like."""
    for languages in (["en-US"], ["EN"]):
        told = analyzer(folder, languages=languages)
        for asked in ("en", "en-GB"):
            english = exchange(0, "you").model_copy(update={"language": asked})
            assert all(score.value is not None for score in told.score([english]))


def test_reasoning_is_not_scored(folder: Path) -> None:
    """What stands in `<think>` changes no score, and nothing else has none."""
    tiny = analyzer(folder)
    scores = tiny.score([exchange(0, "<think>you idiot</think>the sea"), exchange(1, "the sea")])
    assert heads(scores, 0) == heads(scores, 1)
    alone = tiny.score([exchange(0, "<think>you idiot</think>")])
    assert {(score.value, score.label) for score in alone} == {(None, "unparsed")}


class Counting:
    """An engine that keeps the shapes it was asked for."""

    facts = Facts(heads=("toxicity",), languages=("en",), most_tokens=64, padding=0)

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.shapes: list[tuple[int, int]] = []
        self.tokens = 0

    def encode(self, texts: Sequence[str], limit: int) -> list[Encoded]:
        """A token a character."""
        return [Encoded([1] * min(len(text), limit), cut=len(text) > limit) for text in texts]

    def logits(self, ids: Ids, mask: Ids) -> npt.NDArray[np.float32]:
        """The number of tokens, as a logit."""
        self.shapes.append((ids.shape[0], ids.shape[1]))
        self.tokens += int(mask.sum())
        return np.asarray(mask.sum(axis=1, keepdims=True) / 100, dtype=np.float32)


@given(st.lists(st.integers(1, 80), max_size=80), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_batches_hold_texts_of_nearly_one_length(lengths: list[int], rows: int) -> None:
    """Little is padding, batches are bounded, equal texts are read once, and each has its own value."""
    engine = Counting()
    texts = ["x" * length for length in lengths]
    found = read_texts(engine, texts, limit=64, rows=rows)
    asked = sum(count * width for count, width in engine.shapes)
    assert all(count <= rows for count, _ in engine.shapes)
    assert engine.tokens == sum(min(length, 64) for length in set(lengths))
    assert asked - engine.tokens <= sum(max(32, count * width / 8) for count, width in engine.shapes)
    for length, reading in zip(lengths, found, strict=True):
        assert reading.heads == pytest.approx((1 / (1 + math.exp(-min(length, 64) / 100)),), abs=1e-6)
        assert reading.cut == (length > 64)


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


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ({}, ()),
        ({"allow_download": True}, ("github.com:443", "huggingface.co:443")),
        ({"allow_download": True, "checkpoint": "tiny.ckpt", "config": "bert"}, ("huggingface.co:443",)),
    ],
)
def test_hosts_are_named_where_a_download_is_allowed(
    folder: Path, options: dict[str, object], hosts: tuple[str, ...]
) -> None:
    """What may be contacted stands in its info, so that a look at a spec's hosts lists it."""
    checked = DetoxifyAnalyzer.Options.model_validate(options)
    assert DetoxifyAnalyzer(checked, AnalyzerContext(root=folder)).info.hosts == hosts


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
