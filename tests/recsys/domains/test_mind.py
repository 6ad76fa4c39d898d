"""MIND: one split, and several side by side."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from recsys.domains.inspect import inspect
from recsys.domains.registry import open_dataset
from recsys.errors import DatasetFormatError

NEWS = "N1\tsports\tgolf\tOpen title\tAn abstract.\thttps://x/1\t[]\t[]\n"


def split(folder: Path, news: str, behaviors: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "news.tsv").write_text(news)
    (folder / "behaviors.tsv").write_text(behaviors)
    (folder / "entity_embedding.vec").write_text("Q1\t0.1\n")


def test_histories_and_clicks(tmp_path: Path) -> None:
    split(
        tmp_path,
        'N1\tsports\tgolf\tA "quoted" &amp; open title\tAn abstract.\thttps://x/1\t[]\t[]\n'
        "N2\tnews\tworld\t\t\t\t[]\t[]\nN3 cut\n",
        "1\tU1\t11/11/2019 9:05:58 AM\tN1 N9\tN2-0 N1-1\n"
        "2\tU1\t11/12/2019 1:00:00 PM\tN1 N9\tN2-1\n"
        "3\tU2\t11/12/2019 1:00:00 PM\t\tN1 N2\n4\tU2\tyesterday\t\tN1-1 N2-7\n5\n",
    )
    dataset = open_dataset("mind", tmp_path)
    (article,) = dataset.items()
    assert (article.title, article.text) == ('A "quoted" & open title', "An abstract.")
    assert article.attributes == {"category": "sports", "subcategory": "golf"}
    assert article.url == "https://x/1"
    assert [(c.user, c.item, c.time) for c in dataset.interactions()] == [
        ("U1", "N1", None),
        ("U1", "N9", None),
        ("U1", "N1", 1573463158),
        ("U1", "N2", 1573563600),
        ("U2", "N1", None),
    ]
    assert dataset.dropped == {
        "item without title": 1,
        "article row that cannot be read": 1,
        "shown article without a label (test split)": 2,
        "shown article with a label that is neither 0 nor 1": 1,
        "impression row that cannot be read": 1,
    }
    assert dataset.notes == [
        "not read: entity_embedding.vec",
        "1 interactions have a time that cannot be used; they are kept without it",
    ]


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("11/15/2019 12:00:01 AM", 1573776001),
        ("11/15/2019 12:00:01 PM", 1573819201),
        ("2019-11-15 12:00:01", 1573819201),
        ("11/15/2019 13:00:01 XM", None),
        ("13/13/2019 1:00:01 AM", None),
        ("", None),
    ],
)
def test_times(tmp_path: Path, written: str, time: int | None) -> None:
    split(tmp_path, NEWS, f"1\tU1\t{written}\t\tN1-1\n")
    assert [click.time for click in open_dataset("mind", tmp_path).interactions()] == [time]


def test_splits_side_by_side_are_read_in_order_and_news_once(tmp_path: Path) -> None:
    split(tmp_path / "MINDsmall_dev", NEWS, "1\tU1\t11/15/2019 9:00:00 AM\tN1 N2\tN3-1\n")
    split(
        tmp_path / "MINDsmall_train",
        NEWS + NEWS.replace("N1", "N2"),
        "1\tU1\t11/11/2019 9:00:00 AM\tN1 N2\tN4-1\n2\tU1\t11/11/2019 9:09:00 AM\tN1 N2\tN5-1\n",
    )
    split(tmp_path / "MINDsmall_test", NEWS, "1\tU1\t11/19/2019 9:00:00 AM\tN1 N2 N4 N6\tN7 N8\n")
    split(tmp_path / "MINDdemo_train", NEWS, "1\tU9\t11/19/2019 9:00:00 AM\tN1\tN7-1\n")
    dataset = open_dataset("mind", tmp_path)
    found = inspect(dataset)
    assert [(c.item, c.time is not None) for c in dataset.interactions()] == [
        ("N1", False),
        ("N2", False),
        ("N4", True),
        ("N5", True),
        ("N3", True),
        ("N6", False),
    ], "what the test split's history repeats of the clicks in training is not there again"
    assert (found.items, found.users, found.interactions) == (2, 1, 6)
    assert found.dropped == {
        "article that an earlier split has": 2,
        "shown article without a label (test split)": 2,
    }
    assert "splits read, in this order: MINDsmall_train, MINDsmall_dev, MINDsmall_test" in found.notes
    assert any("MINDdemo_train/behaviors.tsv" in note for note in found.notes)


def test_published_zips(tmp_path: Path) -> None:
    for name, article in (("MINDlarge_train", "N1"), ("MINDlarge_dev", "N2"), ("MINDsmall_dev", "N3")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("news.tsv", NEWS.replace("N1", article))
            archive.writestr("behaviors.tsv", f"1\tU1\t11/15/2019 9:00:00 AM\t\t{article}-1\n")
    dataset = open_dataset("mind", tmp_path)
    assert [item.id for item in dataset.items()] == ["N1", "N2"]
    assert [click.item for click in dataset.interactions()] == ["N1", "N2"]


def test_one_file_of_two_is_refused(tmp_path: Path) -> None:
    (tmp_path / "news.tsv").write_text(NEWS)
    with pytest.raises(DatasetFormatError, match=r"expected news\.tsv, behaviors\.tsv .*begins 'N1"):
        open_dataset("mind", tmp_path)
