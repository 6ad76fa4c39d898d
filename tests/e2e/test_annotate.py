"""The Annotate tab in a browser: keys, dialogs, drafts, revisions, two people at once, a narrow screen.

The prompts are imported with their candidates, in Korean: the test model writes English only, so these are
all that "한국어" has, and no test waits for sampling. Every one of them carries hostile text.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from annotation.store import AnnotationStore
from tests.e2e.conftest import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(300)]

WIDE: ViewportSize = {"width": 1440, "height": 900}
LOOPING = "같은 말을 계속 되풀이하는 답변입니다. 같은 말을 계속 되풀이하는 답변입니다."
SCRIPT = '<img src=x onerror="window.hacked=1"></p><script>window.hacked=1</script>'
MARKDOWN = "**굵은 제목** 다음에\n- 첫째 이유\n- 둘째 이유\n[누르세요](javascript:window.hacked=1)"
LONG = "\u202e뒤집힌 글자로 시작하는 아주 긴 답변입니다. " + " ".join(
    f"문장{n} 이어집니다." for n in range(400)
)
PLAIN = "이 사람은 조용한 책을 좋아합니다. ${window.hacked=1} {{constructor}}"
HOSTILE = (SCRIPT, MARKDOWN, LONG, LOOPING, PLAIN)

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def prompts(desk: Page, app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ten prompts, given to the page as the lead gives them; in the end nothing here counts as judged."""
    file = tmp_path_factory.mktemp("prompts") / "prompts.jsonl"
    lines = [
        {
            "system": "당신은 <b>추천</b>합니다.",
            "heading": "이 사람이 읽은 책 (오래된 순):",
            "history": [f"- 책 {number} (바다 <i>이야기</i>)", "- 모비 딕 (고래를 쫓는 선장)"],
            "ask": f"이 사람의 요청: 밤 <u>{number}</u>\n책 하나를 추천하세요.",
            "query": f"밤 <u>{number}</u>",
            "situation": "active",
            "language": "ko",
            "source_domain": "books",
            "target_domain": "films",
            "candidates": HOSTILE,
        }
        for number in range(10)
    ]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    desk.goto(app.url)
    desk.get_by_role("tab").nth(2).click()
    desk.locator("#annotate-files button").first.click()
    desk.locator("#import-prompts input[type=file]").set_input_files(file)
    expect(desk.get_by_text("10 new prompts")).to_be_visible(timeout=20_000)
    desk.locator("#annotate-files button").first.click()
    yield
    with AnnotationStore(app.home / "annotations.db") as store:
        for name in store.judgements.counts().judged:
            while store.judgements.undo(name):
                pass


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[Page]:
    """One page that most tests share, each under a name of its own: opening the app takes seconds."""
    context = browser.new_context(viewport=WIDE, locale="en-US")
    yield context.new_page()
    context.close()


@pytest.fixture
def board(browser: Browser, desk: Page, app: RunningApp, prompts: None) -> Iterator[Open]:
    """Opens the board under a name, where asked in a browser of its own; a script error fails the test."""
    errors: list[str] = []
    contexts = []

    def note(error: object) -> None:
        errors.append(str(error))

    def visit(name: str, own: ViewportSize | None = None) -> Page:
        page = desk
        if own is not None:
            context = browser.new_context(viewport=own, locale="en-US", has_touch=own["width"] < 500)
            contexts.append(context)
            page = context.new_page()
            page.on("pageerror", note)
        if not page.url.startswith(app.url):
            page.goto(app.url)
        enter(page, name)
        return page

    desk.on("pageerror", note)
    yield visit
    desk.remove_listener("pageerror", note)
    for context in contexts:
        context.close()
    assert not errors


def enter(page: Page, name: str) -> None:
    page.get_by_role("tab").nth(2).click()
    page.get_by_role("radio", name="한국어").check()
    field = page.locator("#annotator textarea, #annotator input").first
    expect(field).not_to_have_value("")
    field.fill(name)
    field.press("Enter")
    expect(page.locator(".zb-stage")).to_have_attribute("data-key", re.compile(f"^{name}/"), timeout=30_000)
    expect(page.locator(".zb-candidate")).to_have_count(5)
    page.locator(".zb-prompt").focus()


def task_of(page: Page) -> str:
    return page.locator(".zb-stage").get_attribute("data-key") or ""


@contextmanager
def next_prompt(page: Page) -> Iterator[None]:
    """What is done within leads to another prompt."""
    before = task_of(page)
    yield
    expect(page.locator(".zb-stage")).not_to_have_attribute("data-key", before, timeout=15_000)
    expect(page.locator(".zb-candidate")).to_have_count(5)


def chosen(page: Page) -> tuple[str, str]:
    """Places of the best and the worst, empty where there is none."""
    return tuple(  # type: ignore[return-value]
        "".join(page.locator(f".is-{kind} .zb-number").all_inner_texts()) for kind in ("best", "worst")
    )


def rows(app: RunningApp, name: str, task: str) -> list[str]:
    with AnnotationStore(app.home / "annotations.db") as store:
        return [row.kind for row in store.judgements.log(task.rpartition("/")[2], name)]


def test_two_keystrokes_and_enter(board: Open, app: RunningApp) -> None:
    page = board("keys")
    task = task_of(page)
    page.keyboard.press("Digit2")
    page.keyboard.press("Shift+Digit4")
    assert chosen(page) == ("2", "4")
    expect(page.locator(".zb-live")).to_contain_text("Press ⏎ to submit")
    page.keyboard.press("Digit4")  # one answer is never both
    assert chosen(page) == ("4", "")
    page.keyboard.press("Enter")
    expect(page.locator(".zb-live")).to_contain_text("one best and one worst")
    page.keyboard.press("Shift+Numpad1")
    with next_prompt(page):
        page.keyboard.press("NumpadEnter")
    expect(page.locator(".zb-progress")).to_contain_text("1 of")
    assert chosen(page) == ("", "")
    assert rows(app, "keys", task) == ["judge"]


def test_keys_rest_while_somebody_types_or_composes(board: Open) -> None:
    page = board("typist")
    press = """({ target, ...init }) => {
        const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init });
        (target ? document.querySelector(target) : document.body).dispatchEvent(event);
        return event.defaultPrevented;
    }"""
    # A Korean input method: the key is pressed while a syllable is being composed.
    page.evaluate(
        "() => document.body.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }))"
    )
    assert not page.evaluate(press, {"code": "Digit1", "key": "1", "isComposing": True})
    assert not page.evaluate(press, {"code": "KeyS", "key": "Process", "keyCode": 229})
    assert not page.evaluate(press, {"code": "Digit1", "key": "1", "ctrlKey": True})
    assert not page.evaluate(press, {"code": "Digit1", "key": "1", "repeat": True})
    page.evaluate("() => { document.querySelector('#tagline').contentEditable = 'true'; }")
    for place in ("#tagline", "#annotator textarea"):
        assert not page.evaluate(press, {"target": place, "code": "Digit1", "key": "1"})
    assert chosen(page) == ("", "")
    # The same key in Hangul mode but with nothing to compose into, and on a French keyboard.
    assert page.evaluate(press, {"code": "Digit3", "key": "ㄷ"})
    assert page.evaluate(press, {"code": "Digit1", "key": "&"})
    assert chosen(page) == ("1", "")


def test_keys_are_remapped_and_kept(board: Open) -> None:
    page = board("mapper")
    settings = page.get_by_role("dialog", name="Settings")
    page.get_by_role("button", name="Settings", exact=True).last.click()
    key = settings.get_by_role("button", name=re.compile("^Skip: "))
    key.click()
    page.keyboard.press("KeyU")
    expect(settings.get_by_role("status")).to_contain_text("U is the key for “Undo”")
    page.keyboard.press("F5")
    expect(settings.get_by_role("status")).to_contain_text("not free")
    page.keyboard.press("KeyX")
    expect(settings.get_by_role("button", name=re.compile("^Skip: X"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".zb-skip kbd")).to_have_text("X")
    page.reload()
    enter(page, "mapper")
    page.keyboard.press("KeyS")
    page.keyboard.press("KeyX")
    expect(page.get_by_role("dialog", name="Skip this prompt")).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Settings", exact=True).last.click()
    settings.get_by_label("Keys for").select_option("left")
    page.keyboard.press("Escape")
    page.locator(".zb-prompt").focus()
    page.keyboard.press("KeyW")
    page.keyboard.press("KeyG")
    assert chosen(page) == ("2", "5")
    with next_prompt(page):
        page.keyboard.press("Space")
    page.get_by_role("button", name="Settings", exact=True).last.click()
    settings.get_by_label("Keys for").select_option("standard")
    settings.get_by_role("button", name="Reset the keys").click()
    page.keyboard.press("Escape")
    expect(page.locator(".zb-skip kbd")).to_have_text("S")


def test_undo_revise_skip_and_flag(board: Open, app: RunningApp) -> None:
    page = board("reviser")
    first = task_of(page)
    page.keyboard.press("Digit1")
    page.keyboard.press("Shift+Digit2")
    with next_prompt(page):
        page.keyboard.press("Enter")
    with next_prompt(page):
        page.keyboard.press("KeyU")
    assert task_of(page) == first
    assert chosen(page) == ("1", "2")
    with next_prompt(page):
        page.keyboard.press("Enter")

    skipped = task_of(page)
    with next_prompt(page):
        page.keyboard.press("KeyS")
        page.keyboard.press("Digit2")
    page.keyboard.press("KeyF")
    page.get_by_label("Another reason").fill("ㅋㅋ 1 S")  # keys are letters here
    with next_prompt(page):
        page.keyboard.press("Enter")
    expect(page.locator(".zb-live")).to_contain_text("Flagged")

    page.keyboard.press("KeyJ")
    mine = page.get_by_role("dialog", name="My judgements")
    expect(mine.get_by_role("listitem")).to_have_count(3)
    expect(mine).to_contain_text("I do not know this field")
    with next_prompt(page):
        mine.get_by_role("button", name=re.compile("^Judged")).click()
    assert task_of(page) == first
    expect(page.locator(".zb-revising")).to_be_visible()
    page.keyboard.press("Digit5")
    with next_prompt(page):
        page.keyboard.press("Enter")
    expect(page.locator(".zb-revising")).to_be_hidden()
    assert rows(app, "reviser", first) == ["judge", "undo", "judge", "judge"]
    assert rows(app, "reviser", skipped) == ["skip"]


def test_a_draft_survives_a_reload(board: Open, app: RunningApp) -> None:
    page = board("drafter")
    task = task_of(page)
    page.keyboard.press("Digit3")
    assert chosen(page) == ("3", "")
    wait_for_the_draft(app, "drafter", task)
    page.reload()
    enter(page, "drafter")
    assert task_of(page) == task
    assert chosen(page) == ("3", "")
    assert rows(app, "drafter", task) == []


def wait_for_the_draft(app: RunningApp, name: str, task: str) -> None:
    deadline = time.monotonic() + 15
    with AnnotationStore(app.home / "annotations.db") as store:
        while store.assignments.task(task.rpartition("/")[2], name).best is None:
            assert time.monotonic() < deadline, "the draft was not saved"
            time.sleep(0.1)


def test_two_people_at_once_do_not_collide(board: Open, app: RunningApp) -> None:
    pages = {"mina": board("mina"), "jun": board("jun", own=WIDE)}
    done: dict[str, list[str]] = {name: [] for name in pages}
    orders = {name: page.locator(".zb-text").all_inner_texts() for name, page in pages.items()}
    assert all(sorted(order) == sorted(orders["mina"]) for order in orders.values())
    for turn in range(3):
        for name, page in pages.items():
            done[name].append(task_of(page))
            page.keyboard.press(f"Digit{turn + 1}")
            page.keyboard.press(f"Shift+Digit{turn + 2}")
        for page in pages.values():
            with next_prompt(page):
                page.keyboard.press("Enter")
    for name, page in pages.items():
        expect(page.locator(".zb-progress")).to_contain_text("3 of")
        assert [rows(app, name, task) for task in done[name]] == [["judge"]] * 3
    with AnnotationStore(app.home / "annotations.db") as store:
        assert {n: store.judgements.counts().judged[n] for n in pages} == {"mina": 3, "jun": 3}


def test_a_narrow_screen_has_room_for_fingers(board: Open) -> None:
    page = board("touch", own={"width": 390, "height": 844})
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390
    page.locator(".zb-best").nth(1).tap()
    page.locator(".zb-worst").nth(2).tap()
    assert chosen(page) == ("2", "3")
    for button in page.locator(".zb-root button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, button.inner_text()
        assert box["width"] >= 44, button.inner_text()
    best, worst = (
        page.locator(f".zb-candidate >> nth=0 >> .zb-{k}").bounding_box() for k in ("best", "worst")
    )
    assert best is not None
    assert worst is not None
    assert best["height"] == worst["height"]
    with next_prompt(page):
        page.locator(".zb-submit").tap()


def test_a_screen_reader_hears_names_states_and_news(board: Open) -> None:
    page = board("listener")
    page.keyboard.press("Digit1")
    snapshot = page.locator("#board").aria_snapshot()
    for line in (
        '- progressbar "0 of',
        '- toolbar "Tools"',
        '- region "The prompt"',
        '- group "Answer 1"',
        'button "Answer 1: Best" [pressed]',
        'button "Answer 1: Worst"',
        '- toolbar "Actions"',
        '- button "Submit" [disabled]',
        "- status: ",
    ):
        assert line in snapshot, f"{line} is not in\n{snapshot}"
    expect(page.locator(".zb-best").first).to_have_attribute("aria-keyshortcuts", "1")
    expect(page.locator(".zb-worst").first).to_have_attribute("aria-keyshortcuts", "Shift+1")
    expect(page.locator(".zb-live")).to_have_text("Answer 1: Best.")
    page.keyboard.press("Shift+Digit2")
    with next_prompt(page):
        page.keyboard.press("Enter")
    expect(page.locator(".zb-prompt")).to_be_focused()
    page.locator(".zb-best").first.focus()
    page.keyboard.press("Tab")
    expect(page.locator(".zb-worst").first).to_be_focused()
    page.keyboard.press("Enter")  # presses what has the focus
    assert chosen(page) == ("", "1")


def test_hostile_text_is_shown_and_not_run(board: Open) -> None:
    page = board("careful")
    shown = page.locator(".zb-text").all_inner_texts()
    assert any(SCRIPT in text for text in shown)
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".zb-stage :is(img, script, a, i, u)").count() == 0
    marked = page.locator(".zb-text", has_text="굵은 제목")
    expect(marked.locator("strong")).to_have_text("굵은 제목")
    expect(marked.locator("li")).to_have_text(
        ["첫째 이유", "둘째 이유\n[누르세요](javascript:window.hacked=1)"[:5]]
    )
    expect(page.locator(".zb-query")).to_contain_text("밤 <u>")
    expect(page.locator(".zb-items b").first).to_contain_text("책 ")
    expect(page.locator(".zb-again")).to_have_text("같은 말을 계속 되풀이하는 답변입니다")
    long = page.locator(".zb-candidate", has_text="뒤집힌")
    expect(long.locator(".is-folded")).to_have_count(1)
    long.get_by_role("button", name="Show all").click()
    expect(long.locator(".is-folded")).to_have_count(0)
    expect(page.locator("mark")).to_have_count(0)
    page.keyboard.press("KeyD")
    assert page.locator("mark").count() > 5
    expect(page.locator("mark", has_text="javascript")).to_have_count(1)


def test_the_language_is_switched_for_all_of_the_page(board: Open) -> None:
    page = board("bilingual")
    page.get_by_role("button", name="한국어", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "ko", timeout=20_000)
    expect(page.get_by_role("tab").nth(2)).to_have_text("답변 평가")
    expect(page.get_by_role("tab").nth(2)).to_have_attribute("aria-selected", "true", timeout=15_000)
    expect(page.locator(".zb-submit")).to_contain_text("제출", timeout=15_000)
    name = page.locator("#annotator textarea, #annotator input").first
    name.fill("보이지 않는\u200b이름")
    name.press("Enter")
    expect(page.locator(".zb-notice")).to_contain_text("이름", timeout=15_000)
    page.goto(f"{page.url.split('?')[0]}?lang=en")
    expect(page.get_by_role("tab").nth(2)).to_have_text("Annotate", timeout=15_000)


def test_the_lead_sees_the_quality_report_and_exports(board: Open, tmp_path: Path) -> None:
    page = board("lead")
    page.keyboard.press("Digit1")
    page.keyboard.press("Shift+Digit2")
    with next_prompt(page):
        page.keyboard.press("Enter")
    page.locator("#quality button").first.click()
    expect(page.locator(".zq-measure")).not_to_have_count(0, timeout=30_000)
    expect(page.locator("#quality-report")).to_contain_text("Krippendorff's alpha")
    expect(page.locator("#quality-report")).to_contain_text("too few")
    page.locator("#annotate-files button").first.click()
    page.get_by_label("All judgements, CSV").check()
    page.locator("#export").click()
    with page.expect_download() as download:
        page.locator("#exported a").first.click(timeout=15_000)
    file = tmp_path / "judgements.csv"
    download.value.save_as(file)
    assert "lead" in file.read_text(encoding="utf-8-sig")
