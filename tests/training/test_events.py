from __future__ import annotations

from pathlib import Path

from training.events import EventWriter, MetricsEvent, NoteEvent, StateEvent, read_events


def test_read_events_gives_back_what_was_written(tmp_path: Path) -> None:
    events = [
        StateEvent(state="training"),
        MetricsEvent(step=1, steps=4, values={"rewards/margins": 0.5}, eta_s=3.0),
        NoteEvent(text="한국어\nand a second line"),
    ]
    writer = EventWriter(tmp_path / "events.jsonl")
    for event in events:
        writer.write(event)
    writer.close()
    assert read_events(tmp_path / "events.jsonl")[0] == events


def test_read_events_goes_on_from_an_offset_and_waits_for_a_half_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first, second = (NoteEvent(text=text).model_dump_json().encode() + b"\n" for text in ("one", "two"))
    path.write_bytes(first + second[:10])
    events, offset = read_events(path)
    assert [e.text for e in events if isinstance(e, NoteEvent)] == ["one"]
    assert offset == len(first)
    path.write_bytes(first + second)
    events, offset = read_events(path, offset)
    assert [e.text for e in events if isinstance(e, NoteEvent)] == ["two"]
    assert read_events(path, offset) == ([], offset)


def test_a_new_writer_starts_a_new_line_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "note", "te')
    writer = EventWriter(path)
    writer.write(NoteEvent(text="again"))
    writer.close()
    events, _ = read_events(path)
    assert [e.text for e in events if isinstance(e, NoteEvent)] == ["again"]


def test_read_events_of_a_missing_file_is_empty(tmp_path: Path) -> None:
    assert read_events(tmp_path / "none.jsonl") == ([], 0)
