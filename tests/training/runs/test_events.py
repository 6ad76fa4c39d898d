from __future__ import annotations

from pathlib import Path

from training.runs.events import (
    DataEvent,
    EventWriter,
    MetricsEvent,
    NoteEvent,
    ResumeEvent,
    StateEvent,
    last_state,
    read_events,
    without_superseded,
)


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


def metrics(step: int, loss: float = 0.0) -> MetricsEvent:
    return MetricsEvent(step=step, steps=9, values={"loss": loss})


def test_what_a_resumed_run_measures_again_is_there_once() -> None:
    data = DataEvent(train=6, held_out=2, truncated=0, dropped={})
    first = [data, metrics(1), metrics(2), metrics(3)]
    again = [
        ResumeEvent(step=2),
        data,
        metrics(3, 0.5),
        metrics(4),
        ResumeEvent(step=3),
        data,
        metrics(4, 0.5),
    ]
    kept = without_superseded([*first, *again])
    assert [(e.step, e.values["loss"]) for e in kept if isinstance(e, MetricsEvent)] == [
        (1, 0),
        (2, 0),
        (3, 0.5),
        (4, 0.5),
    ]
    assert sum(isinstance(event, DataEvent) for event in kept) == 1
    assert without_superseded([*first, ResumeEvent(step=0)])[:-1] == []


def test_the_last_state_is_found_at_the_end_and_far_from_it(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert last_state(path).state == "queued"
    writer = EventWriter(path)
    writer.write(StateEvent(state="training"))
    for step in range(500):
        writer.write(metrics(step))
    assert path.stat().st_size > 40_000
    assert last_state(path).state == "training"
    writer.write(StateEvent(state="finished"))
    writer.close()
    assert last_state(path).state == "finished"
