from __future__ import annotations

from dataclasses import replace

import pytest
from jinja2 import TemplateError

from recsys.llm.gguf_metadata import read_metadata
from recsys.prompts.formats import Cues, Example, Prompt, PromptFormat

PROMPT = Prompt(
    system="You recommend.",
    before="The films:",
    history=("- Heat", "- 기생충"),
    after="What next?",
    examples=(Example("One?", "First."), Example("Two?", "Second.")),
    cues=Cues("### Q", "### A", "This person"),
)


def test_few_shot_shows_the_examples_and_ends_where_the_answer_begins() -> None:
    assert PromptFormat("few-shot").render(PROMPT) == (
        "You recommend.\n\n"
        "### Q\nOne?\n\n### A\nFirst.\n\n"
        "### Q\nTwo?\n\n### A\nSecond.\n\n"
        "### Q\nThe films:\n- Heat\n- 기생충\nWhat next?\n\n### A\n"
    )


def test_plain_is_the_same_without_examples() -> None:
    assert PromptFormat("plain").render(PROMPT) == (
        "You recommend.\n\n### Q\nThe films:\n- Heat\n- 기생충\nWhat next?\n\n### A\n"
    )


def test_chat_uses_the_template_with_system_and_user() -> None:
    template = (
        "{% for m in messages %}\n[{{ m.role }}]{{ m.content }}{{ eos_token }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    rendered = PromptFormat("chat", template, "</s>").render(PROMPT)
    assert rendered == (
        "[system]You recommend.</s>\n[user]The films:\n- Heat\n- 기생충\nWhat next?</s>\n[assistant]"
    )


def test_chat_of_the_small_model(smollm_file) -> None:
    metadata = read_metadata(smollm_file)
    rendered = PromptFormat("chat", metadata.chat_template, metadata.eos).render(PROMPT)
    assert rendered.startswith("<|im_start|>system\nYou recommend.<|im_end|>\n<|im_start|>user\n")
    assert rendered.endswith("What next?<|im_end|>\n<|im_start|>assistant\n")
    assert "First." not in rendered


def test_a_template_without_a_system_role_gets_the_message_in_the_users_turn() -> None:
    template = (
        "{% for m in messages %}"
        "{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    rendered = PromptFormat("chat", template).render(PROMPT)
    assert rendered == "<user>You recommend.\n\nThe films:\n- Heat\n- 기생충\nWhat next?"


def test_a_template_that_refuses_everything_says_why() -> None:
    with pytest.raises(TemplateError, match="no conversation"):
        PromptFormat("chat", "{{ raise_exception('no conversation') }}").render(PROMPT)


def test_chat_templates_know_the_date_loop_controls_and_the_thinking_switch() -> None:
    template = (
        "{% for m in messages %}{% if m.role == 'user' %}{% break %}{% endif %}{{ m.role }}{% endfor %}"
        "{{ strftime_now('%Y') | length }}{% if enable_thinking is false %}<think></think>{% endif %}"
    )
    assert PromptFormat("chat", template).render(PROMPT) == "system4<think></think>"


def test_chat_template_cannot_reach_python() -> None:
    hostile = "{{ messages.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(Exception, match="unsafe"):
        PromptFormat("chat", hostile).render(PROMPT)


def test_only_few_shot_answers_have_a_lead() -> None:
    assert PromptFormat("few-shot").lead(PROMPT) == "This person"
    assert PromptFormat("plain").lead(PROMPT) == ""
    assert PromptFormat("chat", "x").lead(PROMPT) == ""


def test_answers_of_models_without_a_template_are_one_paragraph() -> None:
    assert PromptFormat("few-shot").stop == PromptFormat("plain").stop == ("\n",)
    assert PromptFormat("chat", "x").stop == ()


def test_instruction_leaves_out_empty_parts() -> None:
    assert replace(PROMPT, before="", history=()).instruction == "What next?"


def test_without_oldest_drops_from_the_front_and_counts() -> None:
    shorter = PROMPT.without_oldest().without_oldest()
    assert PROMPT.without_oldest().history == ("- 기생충",)
    assert shorter.history == ()
    assert shorter.left_out == 2
    assert PROMPT.left_out == 0
