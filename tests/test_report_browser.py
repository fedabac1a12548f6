"""The report in a browser: Debian's Chromium, driven by Playwright. Skipped where either is missing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archc
from tests.test_report import hostile_spec

api: Any = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
axe: Any = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed (pip install axe-playwright-python)")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (apt-get install chromium)")

NETWORKS = ("lenet", "resnet:50", "resnet:152", "efficientnet:b7")
READY = 8_000
"""Milliseconds within which a report can be used, on a machine that others use too; alone it takes a tenth."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports, by address."""
    folder = tmp_path_factory.mktemp("reports")
    for address in NETWORKS:
        (folder / f"{address.replace(':', '-')}.html").write_text(archc.compile(address).to_html(), encoding="utf-8")
    return folder


class Page:
    """A report that is open in a browser, and what the browser said of it."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda problem: self.said.append(str(problem)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    @property
    def view(self) -> str:
        """The drawing that is shown."""
        return self.page.get_attribute("#drawing", "data-view")

    def rows(self) -> list[int]:
        """The layers in the table, in its order."""
        return self.page.eval_on_selector_all("#layers tbody tr[data-node]", "rows => rows.map(row => Number(row.dataset.node))")

    def column(self, number: int) -> list[int]:
        """What a column is sorted by, from the top."""
        return self.page.eval_on_selector_all(f"#layers tbody tr td:nth-child({number})", "cells => cells.map(cell => Number(cell.dataset.order))")

    def marked(self, within: str) -> list[str]:
        """What is marked in a part of the page."""
        return self.page.eval_on_selector_all(f"{within} .marked", "all => all.map(one => one.dataset.nodes || one.dataset.node || one.id)")

    def transform(self) -> str:
        """Where the drawing stands."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self.page.evaluate("document.getElementById('drawing').style.transform")


@pytest.fixture
def resnet(browser: Any, reports: Path) -> Iterator[Page]:
    page = Page(browser, reports / "resnet-50.html")
    yield page
    assert page.said == []
    page.context.close()


@pytest.mark.parametrize("address", NETWORKS)
def test_it_is_ready_soon_and_quiet_and_asks_for_nothing(browser: Any, reports: Path, address: str) -> None:
    path = reports / f"{address.replace(':', '-')}.html"
    page = Page(browser, path, offline=True)
    for level in page.page.query_selector_all("input[name=level]"):
        level.check()
    assert page.said == []
    assert {one for one in page.requests if not one.startswith("data:")} == {path.as_uri()}
    assert int(page.page.get_attribute("html", "data-ready")) < READY
    page.context.close()


@pytest.mark.parametrize(("address", "scheme"), [*((one, "light") for one in NETWORKS), ("lenet", "dark"), ("resnet:50", "dark")])
def test_axe_finds_nothing(browser: Any, reports: Path, address: str, scheme: str) -> None:
    page = Page(browser, reports / f"{address.replace(':', '-')}.html", color_scheme=scheme, bypass_csp=True)
    if page.page.query_selector("#drawing [aria-expanded=false]"):
        page.page.locator("#drawing [aria-expanded=false]").last.click()
    found = axe.Axe().run(page.page)
    assert [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in found.response["violations"]] == []
    page.context.close()


def test_blocks_open_and_close_where_they_stand(resnet: Page) -> None:
    assert resnet.view == "overview"
    before = resnet.page.locator("#drawing .node").count()
    resnet.page.get_by_role("button", name="stage3, 14×14×1024").click()
    assert resnet.page.locator("#drawing .node").count() > before
    frame = resnet.page.get_by_role("button", name="stage3, open")
    assert frame.get_attribute("aria-expanded") == "true"
    resnet.page.get_by_role("button", name=re.compile("bottleneck × 5")).click()
    assert resnet.page.locator("#drawing .node.role-convolution").count() == 4
    resnet.page.get_by_role("button", name="stage1, 56×56×256").press("Enter")
    assert resnet.page.get_by_role("button", name="stage3, open").count() == 0
    resnet.page.get_by_role("button", name="stage1, open").click(position={"x": 8, "y": 8})
    assert resnet.view == "overview"
    assert resnet.page.locator("#drawing .node").count() == before


def test_an_opened_block_is_in_sight_and_can_be_read(resnet: Page) -> None:
    resnet.page.get_by_role("button", name="stage4, 7×7×2048").click()
    resnet.transform()
    frame = resnet.page.get_by_role("button", name="stage4, open").bounding_box()
    room = resnet.page.locator("#viewport").bounding_box()
    assert room["x"] <= frame["x"] <= frame["x"] + frame["width"] <= room["x"] + room["width"]
    assert room["y"] <= frame["y"] <= frame["y"] + frame["height"] <= room["y"] + room["height"]
    label = resnet.page.locator("#drawing .node text").first.bounding_box()
    assert label["height"] > 8


def test_levels_of_detail(resnet: Page) -> None:
    counts = []
    for level in ("Overview", "Blocks", "Layers"):
        resnet.page.get_by_role("radio", name=level).check()
        counts.append(resnet.page.locator("#drawing .node").count())
    assert counts[0] < counts[1] < counts[2] == len(resnet.rows()) == 176


def test_moving_and_zooming(resnet: Page) -> None:
    places = [resnet.transform()]
    for name in ("Zoom in", "Zoom out", "Fit"):
        resnet.page.get_by_role("button", name=name).click()
        places.append(resnet.transform())
    assert places[0] != places[1] != places[2]
    assert places[3] == places[0]
    room = resnet.page.locator("#viewport").bounding_box()
    resnet.page.mouse.move(room["x"] + 20, room["y"] + 20)
    resnet.page.mouse.down()
    resnet.page.mouse.move(room["x"] + 120, room["y"] + 60, steps=4)
    resnet.page.mouse.up()
    assert resnet.transform() != places[0]
    resnet.page.keyboard.down("Control")
    resnet.page.mouse.wheel(0, -200)
    resnet.page.keyboard.up("Control")
    scale = float(re.findall(r"scale\(([0-9.]+)", resnet.transform())[0])
    assert scale > float(re.findall(r"scale\(([0-9.]+)", places[0])[0])


def test_dragging_opens_nothing(resnet: Page) -> None:
    before = resnet.transform()
    at = resnet.page.get_by_role("button", name="stage1, 56×56×256").bounding_box()
    resnet.page.mouse.move(at["x"] + 10, at["y"] + 10)
    resnet.page.mouse.down()
    resnet.page.mouse.move(at["x"] + 40, at["y"] + 40, steps=4)
    resnet.page.mouse.up()
    assert resnet.transform() != before
    assert resnet.view == "overview"


def test_the_table_sorts(resnet: Page) -> None:
    heading = resnet.page.locator("#layers thead th").nth(3)
    for direction, order in (("ascending", sorted), ("descending", lambda some: sorted(some, reverse=True))):
        heading.click()
        api.expect(heading).to_have_attribute("aria-sort", direction)
        assert resnet.column(4) == order(resnet.column(4))
    assert resnet.column(4)[0] == 2_359_296
    heading.click()
    api.expect(heading).not_to_have_attribute("aria-sort", direction)
    assert resnet.rows() == list(range(176))


def test_search_filters_the_table_and_marks_the_diagram(resnet: Page) -> None:
    resnet.page.get_by_label("Find").fill("stage2 shortcut")
    assert len(resnet.rows()) == 2
    assert resnet.page.inner_text("#found") == "2 of 176 rows"
    assert resnet.page.locator("#drawing .hit").count() == 1
    assert resnet.page.text_content("#drawing .hit").startswith("stage2")
    resnet.page.get_by_role("radio", name="Layers").check()
    assert resnet.page.locator("#drawing .hit").count() == 2
    resnet.page.get_by_label("Find").press("Enter")
    assert resnet.marked("#drawing") == [str(resnet.rows()[0])]
    resnet.page.get_by_label("Find").press("Enter")
    assert resnet.marked("#layers") == [str(resnet.rows()[1])]
    resnet.page.get_by_label("Find").fill("")
    assert len(resnet.rows()) == 176
    assert resnet.page.locator("#drawing .hit").count() == 0


def test_the_table_is_filtered_by_kind(resnet: Page) -> None:
    resnet.page.get_by_label("Kind").select_option("pooling")
    assert len(resnet.rows()) == 2
    resnet.page.get_by_label("Find").fill("global")
    assert len(resnet.rows()) == 1
    resnet.page.get_by_label("Find").fill("there is no such layer")
    assert resnet.rows() == []


def test_rows_and_boxes_mark_each_other(resnet: Page) -> None:
    resnet.page.get_by_role("radio", name="Layers").check()
    resnet.page.locator("#layers tbody tr").nth(4).hover()
    assert resnet.marked("#drawing") == ["4"]
    box = resnet.page.locator('#drawing [data-nodes="1"]')
    resnet.page.evaluate("box => box.dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))", box.element_handle())
    assert resnet.marked("#layers") == ["1"]
    assert resnet.page.inner_text("#detail").startswith("conv1_conv: conv")
    resnet.page.get_by_role("radio", name="Overview").check()
    resnet.page.get_by_role("button", name="stage1, 56×56×256").hover()
    assert len(resnet.marked("#layers")) == 36 - 4
    assert re.match(r"32 layers, .* parameters", resnet.page.inner_text("#detail"))


def test_all_of_it_by_keyboard(resnet: Page) -> None:
    keyboard = resnet.page.keyboard
    resnet.page.locator("#viewport").focus()
    places = [resnet.transform()]
    for key in ("ArrowDown", "ArrowRight", "+", "-", "0"):
        keyboard.press(key)
        places.append(resnet.transform())
    assert len(set(places[:4])) == 4
    assert places[-1] == places[0]
    keyboard.press("Tab")
    assert "stage1" in resnet.page.evaluate("document.activeElement.getAttribute('aria-label')")
    keyboard.press("Enter")
    assert resnet.page.evaluate("document.activeElement.getAttribute('aria-label')") == "stage1, open"
    keyboard.press(" ")
    assert resnet.view == "overview"
    assert resnet.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("stage1, 56×56×256")
    resnet.page.locator("#layers tbody tr").first.focus()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    assert resnet.marked("#layers") == ["2"]
    keyboard.press("End")
    assert resnet.marked("#layers") == ["175"]
    assert resnet.page.locator("#layers tbody tr[tabindex='0']").count() == 1


def test_sorting_by_keyboard(resnet: Page) -> None:
    resnet.page.locator("#layers thead th").nth(4).locator("[role=button]").focus()
    resnet.page.keyboard.press("Enter")
    api.expect(resnet.page.locator("#layers thead th").nth(4)).to_have_attribute("aria-sort", "ascending")


def test_dark_and_light(browser: Any, reports: Path) -> None:
    page = Page(browser, reports / "resnet-50.html", color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    box = "getComputedStyle(document.querySelector('#drawing .ground')).fill"
    assert page.page.evaluate(ground) == page.page.evaluate(box) == "rgb(21, 25, 30)"
    page.page.get_by_role("button", name="Dark").click()
    assert page.page.evaluate(ground) == page.page.evaluate(box) == "rgb(255, 255, 255)"
    assert page.page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "false"
    page.page.emulate_media(media="print", color_scheme="dark")
    assert page.page.evaluate(box) == "rgb(255, 255, 255)"
    page.context.close()


def test_the_chart_shows_what_the_table_says(resnet: Page) -> None:
    shares = resnet.page.eval_on_selector_all("#parts tbody tr", "rows => rows.map(row => [1, 2, 3].map(at => Number(row.cells[at].dataset.share || 0)))")
    shown = [row for row in shares if any(row)]
    lengths = {name: resnet.page.eval_on_selector_all(f"#chart .{name} line", "bars => bars.map(bar => [bar.y1.baseVal.value, bar.x2.baseVal.value - bar.x1.baseVal.value])") for name in ("params", "macs", "bytes")}
    scale = max(length for _, length in lengths["params"]) / max(row[0] for row in shown)
    for at, bars in enumerate(lengths.values()):
        from_the_top = [length for _, length in sorted(bars)]
        assert from_the_top == pytest.approx([row[at] * scale for row in shown], abs=1)
    named = resnet.page.eval_on_selector_all("#chart .ct-label.ct-vertical", "all => all.map(one => [one.getBoundingClientRect().top, one.textContent])")
    assert [name for _, name in sorted(named)][:4] == ["input", "conv1_conv", "max_pool", "stage1"]


def test_lines_of_the_spec_and_of_its_expansion_go_together(resnet: Page) -> None:
    resnet.page.locator("#written [data-lines]").nth(1).hover()
    assert resnet.marked("#expanded") == ["layer-4"]
    resnet.page.locator("#layer-5").hover()
    assert len(resnet.marked("#written")) >= 2
    resnet.page.locator("#layer-5 a").click()
    assert resnet.page.evaluate("document.activeElement.closest('#written') !== null")
    resnet.page.locator("#layers tbody tr").nth(4).locator("a").click()
    assert resnet.page.evaluate("document.querySelector(':target').textContent").strip().startswith("- max_pool")


def test_it_fits_a_narrow_window(browser: Any, reports: Path) -> None:
    page = Page(browser, reports / "efficientnet-b7.html")
    for width in (320, 420, 800, 1100):
        page.page.set_viewport_size({"width": width, "height": 800})
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_it_prints(browser: Any, reports: Path, tmp_path: Path) -> None:
    page = Page(browser, reports / "resnet-50.html")
    page.page.emulate_media(media="print")
    page.page.set_viewport_size({"width": 700, "height": 1000})
    for name in ("#viewport", "#layers-region", "#chart"):
        inside = f"(one => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight])(document.querySelector('{name}'))"
        assert max(page.page.evaluate(inside)) <= 1, name
    assert page.page.evaluate("document.querySelector('#drawing svg').getBoundingClientRect().width") <= 700
    assert not page.page.locator("#search").is_visible()
    assert page.page.pdf(format="A4").startswith(b"%PDF")
    page.context.close()


def test_it_reads_without_scripts(browser: Any, reports: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((reports / "resnet-50.html").as_uri())
    assert page.locator("#drawing .node").count() == 9
    assert page.locator("#layers tbody tr").count() == 176
    context.close()


def test_hostile_texts_do_nothing(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(archc.compile(str(hostile_spec(tmp_path))).to_html(), encoding="utf-8")
    page = Page(browser, path)
    page.page.get_by_label("Find").fill("<img src=x onerror=hacked=1>")
    page.page.get_by_label("Find").fill("")
    for box in page.page.query_selector_all("#drawing [data-nodes]"):
        box.hover()
    assert page.page.evaluate("typeof hacked") == "undefined"
    assert page.page.locator("img").count() == 0
    assert page.page.inner_text("h1").startswith("</script></title><script>hacked=1</script>")
    assert page.said == []
    page.context.close()
