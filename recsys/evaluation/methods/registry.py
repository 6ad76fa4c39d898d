"""The methods by name: what each needs, and whether it has learnt from the catalogue's own users."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from recsys.errors import InputError
from recsys.evaluation.cases import EvaluationData
from recsys.evaluation.methods.base import Method
from recsys.evaluation.methods.bm25 import BM25
from recsys.evaluation.methods.ease import Ease
from recsys.evaluation.methods.familiar import Familiar
from recsys.evaluation.methods.fused import FusedByRank, FusedByScore
from recsys.evaluation.methods.hyde import Averaged, Hyde, HydeFused, Part
from recsys.evaluation.methods.item_knn import ItemKNN
from recsys.evaluation.methods.likelihood import Likelihood
from recsys.evaluation.methods.listwise import Listwise
from recsys.evaluation.methods.playground import DiversePlayground, Playground
from recsys.evaluation.methods.popularity import Popularity
from recsys.evaluation.methods.random_order import RandomOrder
from recsys.evaluation.methods.similarity import (
    CentredMaxSimilarity,
    LastItem,
    MaxSimilarity,
    MeanHistory,
    RecentMaxSimilarity,
)
from recsys.evaluation.workbench import Workbench

DEFAULT = "default"


Group = Literal["simple", "in-domain", "model"]
GROUPS: tuple[Group, ...] = ("simple", "in-domain", "model")


@dataclass(frozen=True)
class MethodSpec:
    """How a method is made. `in_domain`: it learns from what other users of this catalogue liked.

    `model`: it asks a language model; `answer`: it does for histories of other catalogues, where the
    playground's ranking takes the answer into account; `memory`: that answer is written without candidates.
    """

    make: Callable[[Workbench], Method]
    in_domain: bool = False
    model: bool = False
    answer: bool = False
    memory: bool = False

    @property
    def shown(self) -> bool:
        """Whether the model is shown candidates before it answers."""
        return self.answer and not self.memory

    @property
    def group(self) -> Group:
        """How methods are put together where they are chosen."""
        return "in-domain" if self.in_domain else "model" if self.model else "simple"


METHODS: dict[str, MethodSpec] = {
    "random": MethodSpec(RandomOrder),
    "popularity": MethodSpec(Popularity, in_domain=True),
    "item-knn": MethodSpec(ItemKNN, in_domain=True),
    "ease": MethodSpec(Ease, in_domain=True),
    "bm25": MethodSpec(BM25),
    "last": MethodSpec(LastItem),
    "mean": MethodSpec(MeanHistory),
    "max-similarity": MethodSpec(MaxSimilarity),
    "recent-max-similarity": MethodSpec(RecentMaxSimilarity),
    "centred-max-similarity": MethodSpec(CentredMaxSimilarity),
    "fused-rrf": MethodSpec(FusedByRank),
    "fused-zscore": MethodSpec(FusedByScore),
    "default-without-answer": MethodSpec(partial(Playground, answer=False)),
    "default-from-memory": MethodSpec(partial(Playground, shown=0), answer=True, memory=True),
    "default-without-keywords": MethodSpec(partial(Playground, keywords=0.0), answer=True),
    "default-without-numbers": MethodSpec(partial(Playground, numbers=0.0), answer=True),
    "default-without-series": MethodSpec(partial(Playground, series=0.0), answer=True),
    "default-rrf": MethodSpec(partial(Playground, fusion="rrf"), answer=True),
    "default-collapsed": MethodSpec(partial(DiversePlayground, mmr=0.0), answer=True),
    "default-diverse": MethodSpec(partial(DiversePlayground, mmr=0.3), answer=True),
    "hyde": MethodSpec(Hyde, model=True),
    "hyde-conclusion": MethodSpec(partial(Hyde, part=Part.CONCLUSION), model=True),
    "hyde-named": MethodSpec(partial(Hyde, part=Part.NAMED), model=True),
    "hyde-mean": MethodSpec(partial(Hyde, with_history=True), model=True),
    "hyde-averaged": MethodSpec(Averaged, model=True),
    "hyde-fused": MethodSpec(HydeFused, model=True),
    "likelihood": MethodSpec(partial(Likelihood, keep=False), model=True),
    "likelihood-fused": MethodSpec(partial(Likelihood, keep=True), model=True),
    "default-familiar": MethodSpec(Familiar, model=True),
    "listwise": MethodSpec(Listwise, model=True),
    DEFAULT: MethodSpec(Playground, answer=True),
}


_ONLY_ELSEWHERE = ("default-without-answer", "default-from-memory")
_ONLY_WITHIN = ("default-without-numbers", "default-without-series")


def usual_methods(data: EvaluationData) -> tuple[str, ...]:
    """All methods that need no language model and can be had for this dataset, and `default`.

    Those that differ from `default` only in what the dataset does not have are left out.
    """
    same = _ONLY_ELSEWHERE if data.same_catalogue else _ONLY_WITHIN
    return tuple(
        name
        for name, spec in METHODS.items()
        if name == DEFAULT
        or not (asks_model(name, data) or name in same or (spec.in_domain and data.known is None))
    )


def asks_model(name: str, data: EvaluationData) -> bool:
    """Whether the method called `name` asks the language model for this dataset."""
    spec = METHODS[name]
    return spec.model or (spec.answer and not data.same_catalogue)


def check_names(names: Iterable[str]) -> None:
    """Raise InputError for a method that there is not."""
    for name in names:
        if name not in METHODS:
            raise InputError(reason=f"There is no method called {name!r}; there are {', '.join(METHODS)}.")


def check_methods(names: tuple[str, ...], data: EvaluationData) -> tuple[str, ...]:
    """`names` once each; raises InputError for one that there is not, or that needs users there are not."""
    check_names(names)
    for name in names:
        if METHODS[name].in_domain and data.known is None:
            raise InputError(reason=f"{name} learns from users, and {data.name} has none.")
    return tuple(dict.fromkeys(names))
