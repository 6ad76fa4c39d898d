"""Korean news as a dataset of cases. It has no users: a "person" is ten headlines of one topic.

The headlines (YNAT) carry topics that people assigned, the articles (KLUE-MRC) carry none. An article's
topic is what a classifier says that learnt it from the headlines and was sure; every article of the topic
counts as a target. So the cases ask whether a method keeps to a topic, not what somebody really read next.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from recsys.catalog import Item
from recsys.errors import DatasetFileError, InputError
from recsys.evaluation.cases import HISTORY_LENGTH, Case, EvaluationData
from recsys.retrieval.words import words

NAME = "korean-news"
HEADLINES, ARTICLES = "ynat_dev.csv", "articles.jsonl"

_SURE = 0.8
_OPENING_CHARS = 200
_HELD_OUT = 0.2


def read_korean_news(folder: Path, *, users: int, seed: int) -> EvaluationData:
    """`users` cases. Raises DatasetFileError for what cannot be read and InputError where no topic has
    enough headlines and an article."""
    headlines, topics = _headlines(folder / HEADLINES)
    articles = _articles(folder / ARTICLES)
    found, accuracy = _topics_of(headlines, topics, articles, seed)
    by_topic = {topic: np.flatnonzero(topics == topic) for topic in np.unique(topics)}
    targets = {topic: np.flatnonzero(found == topic) for topic in by_topic}
    usable = [t for t in by_topic if len(by_topic[t]) >= HISTORY_LENGTH and len(targets[t])]
    if not usable:
        raise InputError(reason=f"No topic of {folder} has {HISTORY_LENGTH} headlines and an article.")
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(users):
        topic = usable[number % len(usable)]
        history = rng.choice(by_topic[topic], HISTORY_LENGTH, replace=False)
        cases.append(Case(f"{topic}-{number}", tuple(history.tolist()), tuple(targets[topic].tolist())))
    sure = sum(len(targets[topic]) for topic in usable)
    return EvaluationData(
        name=NAME,
        domain="korean-news",
        items=articles,
        sources=headlines,
        cases=tuple(cases),
        protocol="no users: ten headlines of one topic as history, all articles of that topic as targets",
        notes=(
            f"{sure} of {len(articles)} articles have a topic that a classifier is sure of "
            f"(probability of {_SURE} or more); it is right on {accuracy:.1%} of held-out headlines "
            "of which it is as sure",
        ),
    )


def _headlines(path: Path) -> tuple[tuple[Item, ...], Any]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("title") and row.get("topic")]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetFileError(path=path, problem=f"it cannot be read: {error}") from error
    items = tuple(
        Item(id=row["id"], title=row["title"], domain=NAME, language="ko") for row in rows if row.get("id")
    )
    return items, np.array([row["topic"] for row in rows if row.get("id")])


def _articles(path: Path) -> tuple[Item, ...]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return tuple(
            Item(id=r["id"], title=r["title"], text=r.get("body", ""), domain=NAME, language="ko")
            for r in rows
            if r["title"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetFileError(path=path, problem=f"it cannot be read: {error}") from error


def _topics_of(
    headlines: tuple[Item, ...], topics: Any, articles: tuple[Item, ...], seed: int
) -> tuple[Any, float]:
    """Each article's topic, or "" where the classifier is not sure; and how often it is right when sure."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    openings = [f"{article.title} {article.text[:_OPENING_CHARS]}" for article in articles]
    split = [" ".join(found) for found in words([item.title for item in headlines] + openings)]
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", sublinear_tf=True, min_df=2)
    known = vectorizer.fit_transform(split[: len(headlines)])
    order = np.random.default_rng(seed).permutation(len(headlines))
    cut = int(len(order) * _HELD_OUT)
    held, rest = order[:cut], order[cut:]
    probe = LogisticRegression(C=10.0, max_iter=500).fit(known[rest], topics[rest])
    sure = probe.predict_proba(known[held]).max(axis=1) >= _SURE
    right = probe.predict(known[held])[sure] == topics[held][sure]
    model = LogisticRegression(C=10.0, max_iter=500).fit(known, topics)
    likely = model.predict_proba(vectorizer.transform(split[len(headlines) :]))
    best = model.classes_[likely.argmax(axis=1)]
    return np.where(likely.max(axis=1) >= _SURE, best, ""), float(right.mean()) if len(right) else 0.0
