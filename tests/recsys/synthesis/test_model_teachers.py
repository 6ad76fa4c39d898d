"""Rows written by a model on a server and by models in actors, with both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recsys.errors import ResourceError, UnknownModelError, ZeroshelfError
from recsys.settings import Settings
from recsys.synthesis.config import SourceConfig, SynthesisConfig, parse_config
from recsys.synthesis.engines import Engine, LocalEngine, RayEngine, Work
from recsys.synthesis.jobs import JobStore
from recsys.synthesis.prepare import prepare
from recsys.synthesis.rows import Row
from recsys.synthesis.shards import ShardStore, read_rows
from recsys.synthesis.writer import Shard
from tests.recsys.llm.openai_server.support import KEY

SMALL = "smollm2-135m-instruct"
SHARDS = (Shard("movielens", "train", 0, 2), Shard("movielens", "train", 2, 4))

MakeConfig = Callable[[str], SynthesisConfig]


@pytest.fixture
def make_config(sources: Path) -> MakeConfig:
    """A job whose responses a model writes."""

    def make(model: str) -> SynthesisConfig:
        return parse_config(
            {
                "sources": [{"dataset": "movielens", "path": str(sources / "films")}],
                "examples": 4,
                "languages": {"en": 1.0},
                "histories": {"k_core": 2},
                "tokenizer": SMALL,
                "responses": "model",
                "teacher": {"model": model, "max_tokens": 96, "attempts": 4},
            },
            "test",
        )

    return make


def _rows(engine: Engine, config: SynthesisConfig, tmp_path: Path) -> list[Row]:
    """The rows of two shards, in their order."""
    folder = tmp_path / "sources"
    source: SourceConfig = config.sources[0]
    prepare(source, config, folder / source.dataset)
    # The models that actors load lie in the user's own home, as in `home`.
    work = Work(config, folder, Settings(context_tokens=1024, threads=1))
    store = ShardStore(tmp_path / "shards")
    for shard, data in engine.run(work, SHARDS, threading.Event()):
        store.save(shard, data)
    return [row for shard in SHARDS for row in read_rows(store.path(shard))]


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """Both engines; Ray with two workers, started once. The server's key is in the environment."""
    ray = pytest.importorskip("ray", reason="needs requirements-ray.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZEROSHELF_OPENAI_API_KEY", KEY)
        root = str(Path(__file__).resolve().parents[3])
        ray.init(
            num_cpus=2,
            log_to_driver=False,
            include_dashboard=False,
            runtime_env={"env_vars": {"PYTHONPATH": root}},
        )
        yield {"local": LocalEngine(), "ray": RayEngine(workers=2)}
        ray.shutdown()


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize(("where", "engine"), [("server", "local"), ("here", "ray")])
def test_model_writes_the_responses(
    model_server: str,
    engines: dict[str, Engine],
    make_config: MakeConfig,
    tmp_path: Path,
    where: str,
    engine: str,
) -> None:
    model = f"openai:{model_server}#smollm2" if where == "server" else SMALL
    rows = _rows(engines[engine], make_config(model), tmp_path)
    assert [row.index for row in rows] == list(range(4))
    assert {row.teacher for row in rows} == {model}
    answers = [row.response for row in rows if row.response]
    assert answers, [row.dropped for row in rows]
    assert len(set(answers)) == len(answers)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_server_that_is_gone_is_explained(
    engines: dict[str, Engine], make_config: MakeConfig, tmp_path: Path, engine: str
) -> None:
    with pytest.raises(ResourceError, match="cannot be reached") as caught:
        _rows(engines[engine], make_config("openai:http://127.0.0.1:1/v1#m"), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", ["openai:http://127.0.0.1:1/v1#m", "hf:org/name", "/etc/passwd.gguf"])
def test_job_of_a_page_names_models_of_the_list_only(
    make_config: MakeConfig, tmp_path: Path, model: str
) -> None:
    jobs = JobStore(Settings(home=tmp_path))
    with pytest.raises(UnknownModelError):
        jobs.start(make_config(model))
    assert jobs.names() == []


def test_unknown_model_is_refused_before_anything_is_written(make_config: MakeConfig, tmp_path: Path) -> None:
    with pytest.raises(ZeroshelfError, match="no model called"):
        _rows(LocalEngine(), make_config("gpt-5"), tmp_path)
