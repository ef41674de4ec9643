"""The transformers target with real models made on the spot: draws, batches, adapters and failures."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from audit.errors import InputError
from audit.records import Outcome, Output, Request
from audit.targets.base import FatalTargetError, TargetContext, TargetError
from audit.targets.local_model.model import LocalModel
from audit.targets.local_model.options import TransformersOptions
from audit.targets.local_model.sampling import RowDraws, warpers
from audit.targets.local_model.target import TransformersTarget
from probes.records import Message
from probes.seeds import rng
from tests.audit.targets.openai_asking import outputs_of
from tests.servers.one_thread import one_thread
from tests.servers.tiny_model import build_saying_model, build_tiny_model

__all__ = ["one_thread"]

Ask = Callable[..., Request]
Make = Callable[..., TransformersTarget]
_SAYS = {" Yes.": 0.7, " No, the file is too thin.": 0.2, " Perhaps.": 0.1}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models: `tiny` has random weights, `saying` says one of three texts."""
    folder = tmp_path_factory.mktemp("models")
    build_tiny_model(folder / "tiny")
    build_saying_model(folder / "saying", _SAYS)
    return folder


@pytest.fixture
def target(models: Path) -> Make:
    """Makes a target of one of the models, on the CPU."""

    def make(model: str = "saying", **options: object) -> TransformersTarget:
        given = {"model": model, "device": "cpu", "params": {"max_tokens": 12}, **options}
        context = TargetContext(name="target", root=models)
        return TransformersTarget(TransformersOptions.model_validate(given), context)

    return make


def texts(outputs: Sequence[Output]) -> list[str | None]:
    """The texts of outputs."""
    return [output.text for output in outputs]


def asked(ask: Ask, count: int) -> list[Request]:
    """Requests of very different lengths."""
    return [ask("loan " * (1 + 7 * (i % 5)) + str(i), prompt_id=f"p{i}") for i in range(count)]


def test_answer_is_recorded_in_full(target: Make, ask: Ask) -> None:
    """Text, reason, tokens and log-probabilities of the answer reach the output, special tokens do not."""
    made = target(logprobs=True, params={"max_tokens": 12, "temperature": 0})
    (output,) = outputs_of(made, [ask("Approve?", repeat=3)])
    assert (output.text, output.finish_reason, output.outcome) == (" Yes.", "stop", Outcome.ANSWERED)
    assert (output.repeat, output.target, output.model) == (3, "target", "saying")
    assert output.usage is not None
    assert output.usage.completion_tokens == 2
    assert (output.usage.prompt_tokens or 0) > 5
    assert output.logprobs is not None
    assert output.logprobs[0] == pytest.approx(math.log(0.7), abs=1e-4)
    assert output.logprobs[1] == pytest.approx(0, abs=1e-4)


def test_draws_follow_the_model(target: Make, ask: Ask) -> None:
    """Over many prompts the texts come as often as the model gives them a chance, by temperature too."""
    requests = [ask("Approve?", prompt_id=f"p{i}") for i in range(600)]
    made = target(batch_size=200, params={"temperature": 1.0, "top_k": 0, "top_p": 1.0})
    found = Counter(texts(outputs_of(made, requests)))
    for text, chance in _SAYS.items():
        error = math.sqrt(chance * (1 - chance) / 600)
        assert abs(found[text] / 600 - chance) < 4 * error
    hot = Counter(
        texts(outputs_of(target(batch_size=200, params={"temperature": 2.0, "top_k": 2}), requests))
    )
    share = math.sqrt(0.7) / (math.sqrt(0.7) + math.sqrt(0.2))
    assert set(hot) == {" Yes.", " No, the file is too thin."}
    assert abs(hot[" Yes."] / 600 - share) < 4 * math.sqrt(share * (1 - share) / 600)


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_an_answer_does_not_depend_on_its_batch(temperature: float, target: Make, ask: Ask) -> None:
    """Alone, in any order and in batches of any size, with padding, each prompt gets the same answer."""
    requests = asked(ask, 12)
    options: dict[str, Any] = {"model": "tiny", "params": {"max_tokens": 8, "temperature": temperature}}
    together = texts(outputs_of(target(**options), requests))
    backwards = texts(outputs_of(target(**options, batch_size=5), requests[::-1]))[::-1]
    alone = texts(outputs_of(target(**options, batch_size=1), requests))
    assert together == backwards == alone
    assert len(set(together)) > 6


def test_repeats_and_seeds_draw_anew(target: Make, ask: Ask) -> None:
    """Another repeat, prompt or root seed is another draw; the same ones give the same text again."""
    requests = [ask("Approve?", repeat=repeat) for repeat in range(20)]
    options = {"model": "tiny", "params": {"max_tokens": 6, "temperature": 1.0, "top_k": 0}}
    first = texts(outputs_of(target(**options), requests))
    assert len(set(first)) == 20
    assert texts(outputs_of(target(**options), requests)) == first
    assert texts(outputs_of(target(**options), requests, seed=8)) != first


def test_an_answer_ends_where_it_is_told_to(target: Make, ask: Ask) -> None:
    """The limit of tokens truncates; a stop text ends the answer and is no part of it."""
    greedy = {"temperature": 0, "max_tokens": 5}
    (cut,) = outputs_of(target("tiny", params=greedy), [ask("Approve?")])
    assert (cut.finish_reason, cut.outcome) == ("length", Outcome.TRUNCATED)
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 5
    stop = (cut.text or "")[2:4]
    ended = outputs_of(target("tiny", params={**greedy, "stop": [stop]}), [ask("Approve?"), ask("B")])[0]
    assert ended.text == (cut.text or "")[: (cut.text or "").index(stop)]
    assert ended.finish_reason == "stop"


def test_conversations_go_through_the_chat_template(target: Make, ask: Ask, models: Path) -> None:
    """Roles and the system prompt reach the model; without a template only one message can be asked."""
    turns = (Message(role="user", content="a"), Message(role="assistant", content="b"))
    many = ask("x").model_copy(update={"messages": (*turns, turns[0])})
    made = target(system="Be brief.")
    outputs_of(made, [many])
    model = LocalModel(made._options, str(models / "saying"), None)
    row = model.tokens([{"role": "system", "content": "s"}, *(m.model_dump() for m in many.messages)])
    said = model._tokenizer.decode(row)
    assert said == "<|system|>s<|end|><|user|>a<|end|><|assistant|>b<|end|><|user|>a<|end|><|assistant|>"
    (output,) = outputs_of(target(chat="plain"), [many])
    assert "chat: plain holds one" in (output.error or "")


def test_what_does_not_fit_is_an_error_of_that_prompt(target: Make, ask: Ask) -> None:
    """A prompt beyond the model's length is never cut in silence, and does not spoil its batch."""
    long, short = outputs_of(target(), [ask("loan " * 2000), ask("Approve?", prompt_id="p2")])
    assert "the model holds 1024" in (long.error or "")
    assert short.error is None


def test_memory_that_does_not_suffice_halves_the_batch(
    target: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that does not fit is asked again by halves, with the same answers, and stays small."""
    requests = asked(ask, 8)
    options: dict[str, Any] = {"model": "tiny", "params": {"max_tokens": 6, "temperature": 1.0}}
    expected = texts(outputs_of(target(**options), requests))
    sizes, forward, most = [], LlamaForCausalLM.forward, [3]

    def bounded(self: object, input_ids: torch.Tensor, **rest: object) -> object:
        sizes.append(input_ids.shape[0])
        if input_ids.shape[0] > most[0]:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return cast("Any", forward)(self, input_ids=input_ids, **rest)

    monkeypatch.setattr(LlamaForCausalLM, "forward", bounded)
    made = target(**options)

    async def twice() -> list[str | None]:
        first = texts(await made.generate(requests, seed=7))
        sizes.append(0)
        assert texts(await made.generate(requests, seed=7)) == first
        await made.aclose()
        return first

    assert asyncio.run(twice()) == expected
    assert sizes[:3] == [8, 4, 2]
    assert max(sizes[sizes.index(0) :]) == 2
    most[0] = 0
    with pytest.raises(TargetError, match=r"lower params\.max_tokens"):
        outputs_of(target(**options), requests)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks for it
def test_an_adapter_changes_the_answers(target: Make, ask: Ask, models: Path) -> None:
    """A PEFT adapter is applied, and its checksum is among the facts."""
    peft = pytest.importorskip("peft")
    base = AutoModelForCausalLM.from_pretrained(models / "tiny")
    adapted = peft.get_peft_model(base, peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj", "o_proj"]))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.from_numpy(rng(1, name).normal(0, 3, tuple(weight.shape))))
    adapted.save_pretrained(models / "adapter")
    options: dict[str, Any] = {"model": "tiny", "params": {"max_tokens": 8, "temperature": 0}}
    made = target(**options, adapter="adapter")
    assert len(made.info.facts["adapter_sha256"]) == 64
    plain = texts(outputs_of(target(**options), asked(ask, 4)))
    assert texts(outputs_of(made, asked(ask, 4))) != plain


def test_files_that_are_not_there_are_told_before_the_run(target: Make, models: Path, ask: Ask) -> None:
    """A wrong folder, a missing adapter and absent weights are named, and nothing is fetched."""
    with pytest.raises(InputError, match=r"no folder of a model, it has no config\.json"):
        target("absent")
    with pytest.raises(InputError, match="no folder of an adapter"):
        target(adapter="tiny")
    broken = models / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    with pytest.raises(FatalTargetError, match="does not load"):
        outputs_of(target("broken"), [ask("x")])
    assert target().info.hosts == ()
    assert "huggingface.co:443" in target(model="some/name", download=True).info.hosts


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"revision": "main"}, "set download: true"),
        ({"chat": "plain", "template_options": {"enable_thinking": False}}, "chat: plain does not use"),
        ({"device": "tpu"}, "device"),
        ({"params": {"max_tokens": 0}}, "max_tokens"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], said: str) -> None:
    """An option that cannot work is refused before anything is loaded."""
    with pytest.raises(ValidationError, match=said):
        TransformersOptions.model_validate({"model": "m", **options})


def test_a_stopped_call_ends_at_its_next_token(target: Make, ask: Ask) -> None:
    """When a run is stopped, the model does not write on to the end."""
    made = target("tiny", params={"max_tokens": 900, "temperature": 0})

    async def stop() -> float:
        loop = asyncio.get_running_loop()
        call = asyncio.ensure_future(made.generate(asked(ask, 2), seed=1))
        await asyncio.sleep(1.0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        begun = loop.time()
        assert made._threads is not None
        await made._threads.call(lambda _: None, None)  # its one thread is free again
        await made.aclose()
        return loop.time() - begun

    assert asyncio.run(stop()) < 1


def test_rounding_at_the_end_of_a_distribution_takes_a_possible_token() -> None:
    """The last number below 1 never chooses a token without a share."""

    class Highest:
        def random(self) -> float:
            return float(np.nextafter(1.0, 0.0))

    scores = torch.tensor([[0.0, 1.0, -torch.inf, -torch.inf], [-torch.inf, -torch.inf, 0.0, -torch.inf]])
    chooser = RowDraws(cast("Any", [Highest(), Highest()]), warpers(1.0, None, None), keep=True)
    only = chooser(torch.zeros((2, 1), dtype=torch.long), scores)  # type: ignore[arg-type] # of the right shape
    assert only.argmax(-1).tolist() == [1, 2]
    assert chooser.logprobs(1, 1) == (0.0,)
