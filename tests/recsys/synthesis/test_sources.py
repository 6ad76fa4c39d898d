"""Jobs on sources beside the eight datasets, and with another rule of what is positive."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from recsys.errors import InputError
from recsys.settings import Settings
from recsys.synthesis.config import parse_config, read_config
from recsys.synthesis.engines import LocalEngine
from recsys.synthesis.job import Job
from recsys.synthesis.prepare import prepare

_FLAVOURS = ["green", "black", "mild", "strong", "sweet", "smoky"]


def write_teas(
    folder: Path, users: int = 50, teas: int = 40, each: int = 12, domains: tuple[str, ...] = ("teas",)
) -> Path:
    """A catalogue of somebody's own: CSV items, JSON Lines interactions."""
    draw = random.Random(2)
    folder.mkdir()
    lines = ["sku,name,description,domain,flavour"]
    for number in range(teas):
        flavours = "|".join(draw.sample(_FLAVOURS, 2))
        domain = domains[number % len(domains)]
        lines.append(f"t{number},Tea of {number:02d} Hills,A cup for slow mornings,{domain},{flavours}")
    (folder / "teas.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [
        {
            "customer_id": user,
            "sku": f"t{tea}",
            "event": draw.choice(["buy", "view"]),
            "ts": user * 100 + place + 1,
        }
        for user in range(users)
        for place, tea in enumerate(draw.sample(range(teas), each))
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def job(sources: Path, teas: Path, **more: object) -> dict[str, object]:
    return {
        "sources": [
            {"dataset": "movielens", "path": str(sources / "films")},
            {"dataset": "catalog", "path": str(teas), **more},
        ],
        "examples": 60,
        "preference": 4,
        "test": 4,
        "histories": {"k_core": 2},
    }


def test_a_catalogue_of_ones_own_gives_examples(sources: Path, tmp_path: Path, home: Settings) -> None:
    teas = write_teas(tmp_path / "teas")
    config = parse_config(job(sources, teas), "test")
    assert config.wanted(60) == {"movielens": 30, "catalog": 30}, (
        "no share in the recipe: the mean of the others"
    )
    report = Job(config, tmp_path / "out", home).run(LocalEngine(1))
    assert report is not None
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text("utf-8").splitlines()]
    own = [row for row in rows if row["dataset"] == "catalog"]
    assert len(own) == 30
    assert {row["domain"] for row in own} == {"teas"}
    for row in own:
        assert f"Tea of {int(row['target_id'][1:]):02d} Hills" in row["messages"][-1]["content"]
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "- **catalog** (items and interactions); positive: rating of 4 or more where there are" in card
    assert "as given by whoever provided the file" in card


def test_several_catalogues_have_names_of_their_own(sources: Path, tmp_path: Path, home: Settings) -> None:
    first, second = (write_teas(tmp_path / name) for name in ("teas", "other teas"))
    wanted = job(sources, first)
    wanted["sources"] = [*wanted["sources"], {"dataset": "catalog", "path": str(second)}]  # type: ignore[misc]
    config = parse_config(wanted, "test")
    assert config.wanted(60) == {"movielens": 20, "catalog": 20, "catalog-2": 20}
    assert parse_config(config.model_dump(mode="json"), "dumped") == config
    report = Job(config, tmp_path / "out", home).run(LocalEngine(1))
    assert report is not None
    obtained = {o.dataset: o.obtained for o in report.obtained if o.split == "train"}
    assert obtained == {"movielens": 20, "catalog": 20, "catalog-2": 20}
    with pytest.raises(InputError, match="a source is named twice"):
        parse_config(job(sources, first) | {"sources": [*wanted["sources"], wanted["sources"][-1]]}, "test")


def test_a_catalogue_of_several_domains_asks_for_the_targets(
    sources: Path, tmp_path: Path, home: Settings
) -> None:
    teas = write_teas(tmp_path / "teas", domains=("games", "films"))
    config = parse_config(job(sources, teas) | {"languages": {"en": 1.0}}, "test")
    assert Job(config, tmp_path / "out", home).run(LocalEngine(1)) is not None
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text("utf-8").splitlines()]
    own = [row for row in rows if row["dataset"] == "catalog"]
    assert {row["domain"] for row in own} == {"games", "films"}
    for row in own:
        expected = ("games", "films")[int(row["target_id"][1:]) % 2]
        assert row["domain"] == expected
        if row["form"] == "direct":
            assert expected.removesuffix("s") in row["messages"][1]["content"].casefold()
        if row["situation"] == "passive" and len({int(i[1:]) % 2 for i in row["history_ids"]}) == 2:
            assert "across films, games" in row["messages"][0]["content"]


def test_what_is_positive_is_a_setting_of_a_source(sources: Path, tmp_path: Path) -> None:
    teas = write_teas(tmp_path / "teas")
    usual = parse_config(job(sources, teas), "test")
    strict = parse_config(job(sources, teas, positive="buy"), "test")
    assert usual.fingerprint() != strict.fingerprint()
    every = prepare(usual.sources[1], usual, tmp_path / "every")
    bought = prepare(strict.sources[1], strict, tmp_path / "bought")
    assert 0 < bought.counts["positive interactions"] < every.counts["positive interactions"] == 600
    assert bought.positive == "buy"


def test_rule_in_a_configuration_file(tmp_path: Path) -> None:
    file = tmp_path / "job.toml"
    text = '[[sources]]\ndataset = "anime"\npath = "x"\npositive = "rating>=7, watch"\n'
    file.write_text(text)
    rule = read_config(file).sources[0].positive
    assert rule is not None
    assert rule.least == {"rating": 7.0, "watch": None}
    assert read_config(file) == parse_config(json.loads(read_config(file).model_dump_json()), "dumped")
    for wrong, message in (("rating=7", "write it like"), ("click", "anime has no signal 'click'")):
        file.write_text(text.replace("rating>=7, watch", wrong))
        with pytest.raises(InputError, match=message):
            read_config(file)
