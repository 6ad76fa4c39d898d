from __future__ import annotations

from pathlib import Path

import pytest

from annotation.contract import judgement_payload, task_payload
from annotation.errors import AnnotatorNameError, UnknownLanguageError, UnknownStrategyError
from annotation.service import AnnotationService, annotator_name
from annotation.store import AnnotationStore
from recsys.llm.base import Sampling
from recsys.settings import Settings


@pytest.fixture
def service(filled: AnnotationStore) -> AnnotationService:
    return AnnotationService(filled)


def test_names_are_trimmed_and_composed() -> None:
    assert annotator_name("  Ann Other ") == "Ann Other"
    assert annotator_name("\u1112\u1161\u11ab") == "한"
    assert annotator_name("x" * 64)


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb", "a\0b", "a\u200bb", "a\u202eb", "a\u2028b"])
def test_names_that_cannot_be_used(service: AnnotationService, name: str) -> None:
    with pytest.raises(AnnotatorNameError, match="1 to 64"):
        service.next_task(name)


def test_the_whole_way_of_one_task(service: AnnotationService) -> None:
    task = service.next_task(" ann ")
    assert task
    payload = task_payload(task)
    assert payload["task_id"] == task.id
    assert payload["system"] == "You recommend."
    assert payload["instruction"] == task.instruction
    assert [c["id"] for c in payload["candidates"]] == [c.id for c in task.candidates]
    judgement = service.judge(task.id, "ann", task.candidates[0].id, task.candidates[1].id)
    assert judgement_payload(judgement, service.progress("ann")) == {
        "judgement_id": judgement.id,
        "done": 1,
        "total": 6,
    }
    assert len(service.pairs("all")) == 7
    assert service.counts().judged == {"ann": 1}
    undone = service.undo("ann")
    assert undone
    assert undone.id == task.id
    assert service.pairs() == []
    assert service.skip(task.id, "ann", "unclear").kind == "skip"
    assert service.task(task.id, "ann").state == "skipped"


def test_nothing_left_has_a_shape_too(service: AnnotationService) -> None:
    while task := service.next_task("ann"):
        service.skip(task.id, "ann")
    assert task_payload(None) == {"task_id": None, "system": "", "instruction": "", "candidates": []}


def test_languages_and_strategies_are_checked(service: AnnotationService) -> None:
    with pytest.raises(UnknownLanguageError, match="en, ko"):
        service.next_task("ann", "fr")
    korean = service.next_task("ann", "ko")
    assert korean
    assert korean.prompt.language == "ko"
    assert service.next_task("bob", "")
    service.judge(korean.id, "ann", korean.candidates[0].id, korean.candidates[1].id)
    with pytest.raises(UnknownStrategyError):
        service.pairs("worst")  # type: ignore[arg-type]


@pytest.mark.model
def test_five_real_candidates(tmp_path: Path, make_prompt) -> None:
    """The embedded model writes five answers with five seeds, and the next prompt's are sampled ahead."""
    registry = pytest.importorskip("recsys.llm.registry")
    model_files = pytest.importorskip("recsys.llm.model_files")
    llama_cpp = pytest.importorskip("recsys.llm.llama_cpp")
    adapters = pytest.importorskip("recsys.llm.adapters")
    settings = Settings(home=tmp_path, max_answer_tokens=12, candidates_ahead=1)
    spec = registry.load_spec("smollm2-135m-instruct")
    path = model_files.model_file(spec, settings.paths.models)
    model = llama_cpp.LlamaCppBackend(
        spec, path, adapters.AdapterStore(settings.paths.adapters), context_tokens=2048
    )
    service = AnnotationService.from_settings(settings, lambda: model, languages=spec.languages)
    try:
        service.store.prompts.add([make_prompt(1), make_prompt(2), make_prompt(3, "ko")])
        task = service.next_task("ann", wait_s=120)
        assert task
        assert len({c.text for c in task.candidates}) >= 4
        made = service.store.prompts.candidates(task.id)
        assert {c.model for c in made} == {"smollm2-135m-instruct"}
        assert len({c.seed for c in made}) == 5
        assert all(0 < c.tokens <= 12 and Sampling.model_validate_json(c.sampling) for c in made)
        service.judge(task.id, "ann", task.candidates[0].id, task.candidates[1].id)
        assert service.next_task("ann", wait_s=120)
    finally:
        service.close()
        model.close()
