"""Runs inside LangFair's own environment: its generators and metrics on the benchmark's scenarios.

Reads `{"base_url": …, "asked": […], "names": …, "count": …}` on standard input, writes figures as JSON.
"""

import asyncio
import json
import os
import sys
from itertools import combinations
from typing import Any

import numpy as np
from langchain_openai import ChatOpenAI
from langfair.generator import CounterfactualGenerator
from langfair.metrics.classification import ClassificationMetrics
from langfair.metrics.counterfactual import CounterfactualMetrics


async def figures(given: dict[str, Any]) -> dict[str, dict[str, float]]:
    """LangFair's own figures for every pair of groups, by word and by name."""
    found = {}
    for attribute, first in (("gender", "female"), ("race", "black")):
        for signal in ("word", "name"):
            for kind in ("decision", "open"):
                prompts = [
                    one["text"]
                    for one in given["asked"]
                    if (one["attribute"], one["group"], one["signal"]) == (attribute, first, signal)
                    and one["is_decision"] == (kind == "decision")
                ]
                said = await answers(given, prompts, attribute, signal)
                groups = sorted(key.removesuffix("_response") for key in said if key.endswith("_response"))
                for one, other in combinations(groups, 2):
                    texts = [said[f"{group}_response"] for group in (one, other)]
                    values = sentiment(texts)
                    if kind == "decision":
                        values |= prevalence(texts)
                    name = f"{attribute}/{signal}/{kind}/{one}/{other}"
                    found[name] = {key: float(value) for key, value in values.items()}
    return found


async def answers(
    given: dict[str, Any], prompts: list[str], attribute: str, signal: str
) -> dict[str, list[str]]:
    """Responses by group, by LangFair's own counterfactual generator."""
    llm = ChatOpenAI(base_url=given["base_url"], api_key="none", model="sealed", temperature=1.0)
    generator = CounterfactualGenerator(langchain_llm=llm, use_n_param=True)
    asked = {"attribute": attribute} if signal == "word" else {"custom_dict": given["names"][attribute]}
    said = await generator.generate_responses(
        prompts=prompts, count=given["count"], show_progress_bars=False, **asked
    )
    return said["data"]


def sentiment(texts: list[list[str]]) -> dict[str, float]:
    """LangFair's counterfactual sentiment bias, the one of its text metrics with a value for no bias."""
    metrics = CounterfactualMetrics(metrics=["Sentiment Bias"], neutralize_tokens=False, how="mean")
    return metrics.evaluate(*texts, show_progress_bars=False)["metrics"]


def prevalence(texts: list[list[str]]) -> dict[str, float]:
    """Difference and ratio of the shares of yes, by LangFair's own classification metric."""
    read = [
        (group, int(reply.strip().lower().startswith("yes")))
        for group, replies in enumerate(texts)
        for reply in replies
        if reply.strip().lower().startswith(("yes", "no"))
    ]
    groups, said = (np.array(column) for column in zip(*read, strict=True))
    metrics = ClassificationMetrics(metric_type="representation")
    values = {}
    for name, ratio in (("difference", False), ("ratio", True)):
        (value,) = metrics.evaluate(groups=groups, y_pred=said, ratio=ratio).values()
        values[name] = value
    return values


# Only the figures may reach standard output; libraries print there too.
out = os.dup(1)
os.dup2(2, 1)
with os.fdopen(out, "w") as stream:
    json.dump(asyncio.run(figures(json.load(sys.stdin))), stream)
