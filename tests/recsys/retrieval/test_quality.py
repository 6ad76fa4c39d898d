"""What the embedder finds in the demo catalogues: order only, in both languages.

The pairs were chosen among the demos' own queries and some more; what the small embedder gets wrong
(cross-lingual jokes, moods) is not claimed here.
"""

from __future__ import annotations

import pytest

from recsys.retrieval.catalogs import Catalogs
from recsys.retrieval.hyde import hyde_vector

LABELLED = [
    ("games", "cozy farming game to unwind after work", "stardew-valley"),
    ("games", "detective game where I have to work out everything myself", "disco-elysium"),
    ("games", "lawyer shouting objection in murder trials", "phoenix-wright-ace-attorney"),
    ("games", "marriage, plots and wars of a medieval dynasty", "crusader-kings-iii"),
    ("games", "우주를 자유롭게 탐험하는 게임 뭐가 있어?", "no-mans-sky"),
    ("games", "음모와 배신이 가득한 중세 전략 게임", "crusader-kings-iii"),
    ("games", "카트 레이싱", "kartrider"),
    ("korean-news", "퇴근하고 나서 새로 시작해 볼 만한 운동", "river-running-crew"),
    ("korean-news", "장마철 침수 대비", "monsoon-night-watch"),
    ("korean-news", "늙은 강아지를 돌보는 사람들", "old-dog-daycare"),
    ("korean-news", "목소리를 흉내 내는 전화 사기", "voice-clone-safe-word"),
    ("korean-news", "AI in schools", "ai-literacy-classroom"),
    ("korean-news", "neighbours helping older people who live alone", "postman-checks-doors"),
    ("korean-news", "how are young Koreans coping with rent and loans", "jeonse-rate-wait"),
]


@pytest.mark.parametrize(("catalog", "query", "expected"), LABELLED)
def test_expected_item_is_among_the_first_three(
    demo_catalogs: Catalogs, catalog: str, query: str, expected: str
) -> None:
    vector = hyde_vector(demo_catalogs.index, demo_catalogs.embedder, target=catalog, query=query)
    found = [item.id for item, _ in demo_catalogs.search(catalog, vector, 3)]
    assert expected in found


def test_item_is_the_nearest_to_its_own_text(demo_catalogs: Catalogs) -> None:
    for catalog in ("games", "korean-news"):
        for item in list(demo_catalogs.store.items(catalog))[::8]:
            text = f"{item.title}\n{item.text[:150]}"
            vector = hyde_vector(demo_catalogs.index, demo_catalogs.embedder, target=catalog, answer=text)
            ((found, hit),) = demo_catalogs.search(catalog, vector, 1)
            assert found.id == item.id
            assert hit.chunk.split()[0] in item.text


@pytest.mark.parametrize("catalog", ["games", "korean-news"])
def test_shorter_list_is_the_beginning_of_a_longer_one(demo_catalogs: Catalogs, catalog: str) -> None:
    for _, query, _ in LABELLED:
        vector = hyde_vector(demo_catalogs.index, demo_catalogs.embedder, target=catalog, query=query)
        short, long = ([item.id for item, _ in demo_catalogs.search(catalog, vector, k)] for k in (3, 30))
        assert long[:3] == short, query
