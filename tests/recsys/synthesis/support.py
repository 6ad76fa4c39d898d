"""Tasks for teachers, made of the demo catalogues: what a job would ask about their items."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from recsys.catalog import Item
from recsys.demos import DOMAINS, load_demo
from recsys.prompts.templates import Form, Situation
from recsys.synthesis.tasks import Task
from recsys.synthesis.teachers import AttributesTeacher


def demo_items(domain: str) -> list[Item]:
    """The items of a demo catalogue, in its order."""
    return list(load_demo(domain).items.values())


def demo_tasks(situation: Situation, form: Form, language: str, count: int) -> list[Task]:
    """`count` tasks, domain by domain in turn; active ones have a query by the teacher without a model.

    The Korean news are left out in English: their titles would make the text Korean.
    """
    draw = Random(f"{situation}/{form}/{language}")
    domains = [domain for domain in DOMAINS if language == "ko" or domain != "korean-news"]
    tasks = []
    for number in range(count):
        domain = domains[number % len(domains)]
        chosen = draw.sample(demo_items(domain), draw.randint(4, 9))
        task = Task(
            situation=situation,
            form=form,
            language=language,
            domain=domain,
            history=tuple(chosen[1:]) if situation == "passive" else (),
            target=chosen[0],
            options=5 if form == "listwise" else 0,
            seed=draw.getrandbits(32),
        )
        if situation == "active":
            task = replace(task, query=AttributesTeacher().queries([task])[0])
        tasks.append(task)
    return tasks
