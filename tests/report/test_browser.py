"""The page in a real browser: everything that a reader clicks, on a screen, on a phone, in the dark and on paper.

Needs playwright (`pip install benchsuite[browser]`) and a Chromium, which is found by its name.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchsuite import load_space
from benchsuite.report.render.drawings import Drawings
from benchsuite.report.render.packed import MOST_ARCHITECTURES
from benchsuite.report.render.words import MINUS
from benchsuite.report.results import COURSE_COLUMNS
from benchsuite.report.write import write_report
from benchsuite.spaces.nasbench201.space import NASBench201

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if not CHROMIUM:
    pytest.skip("no Chromium is installed on this machine", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: benchsuite[browser]")

NAMES = ("nwot", "synflow", "plain")
ANCHOR = "nasbench201-cifar10"


CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => numbers(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (each) => {
    const colour = getComputedStyle(each).backgroundColor;
    return numbers(colour)[3] === 0 ? ground(each.parentElement) : colour;
  };
  const worded = [...document.body.querySelectorAll(":not(script, style, svg *)")].filter((each) =>
    [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && each.checkVisibility());
  return worded.map((each) => {
    const [dark, light] = [getComputedStyle(each).color, ground(each)].map(luminance).sort((a, b) => a - b);
    return [(light + 0.05) / (dark + 0.05), each.textContent.slice(0, 40)];
  }).filter(([contrast]) => contrast < 4.5);
}"""


def _renamed(results, architectures):
    """The same results with real architectures, which can be drawn."""
    (part,) = results.benchmarks
    names = dict(zip(part.truth.index, architectures, strict=True))
    renamed = {name: getattr(part, name).rename(index=names) for name in ("truth", "trials", "complexity")}
    scores = part.scores.assign(architecture=part.scores["architecture"].map(names))
    operations = {name: NASBench201().operations(name) for name in architectures}
    drawn = {"operations": operations, "draw": NASBench201().drawing}
    found = replace(part, **renamed, scores=scores, **drawn, courses=_course(architectures))
    return replace(results, benchmarks=(found,))


def _course(architectures):
    """What a method would have chosen after each of two epochs."""
    rows = [("darts", 0, "key", epoch, architectures[epoch], epoch, 0.1, 0.0, 90.0, 50.0, 2.0) for epoch in (1, 2)]
    return pd.DataFrame(rows, columns=list(COURSE_COLUMNS))


@pytest.fixture(scope="module")
def file(make_results, tmp_path_factory):
    """Path of the page of 60 architectures."""
    architectures = NASBench201().sample(60, np.random.default_rng(0))
    results = _renamed(make_results(n=60, estimators=NAMES, seeds=2), architectures)
    return write_report(results, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, file):
    """Open the page as given options say; fail on any error that it reports and on anything that it fetches."""
    pages, wrong = [], []

    def open_page(address="", **options):
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}).new_page()
        page.set_default_timeout(20_000)  # a busy machine takes its time
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("request", lambda sent: wrong.append(sent.url) if not sent.url.startswith(("file:", "blob:")) else None)
        page.goto(f"{file.as_uri()}{address}")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert not wrong


@pytest.fixture
def page(visit):
    return visit()


def _open(page, tab):
    page.get_by_role("tab", name=tab, exact=True).click()
    return page.get_by_role("tabpanel")


def test_one_tab_is_seen_at_a_time_and_a_click_or_an_arrow_key_opens_another(page):
    tabs = page.get_by_role("tab")
    assert page.get_by_role("tabpanel").count() == 1
    _open(page, "Bias")
    assert page.get_by_role("heading", name="Where is it biased by size?").is_visible()
    assert not page.get_by_role("heading", name="Which estimator ranks best?").is_visible()
    page.keyboard.press("ArrowRight")
    assert [tab.inner_text() for tab in tabs.all() if tab.get_attribute("aria-selected") == "true"] == ["Variance"]
    assert page.evaluate("document.activeElement.textContent") == "Variance"
    page.keyboard.press("End")
    assert page.get_by_role("tabpanel", name="Protocol").is_visible()


def test_what_a_method_chose_by_itself_is_drawn_beside_its_course(page):
    panel = _open(page, "Own rule")
    assert panel.get_by_role("heading", name="What do the methods choose by themselves?").is_visible()
    assert panel.locator("td .architecture svg").count() == 1
    assert panel.locator("figure .drawing svg").count() == 2


def test_an_address_opens_its_tab(visit):
    page = visit(f"#{ANCHOR}-variance")
    assert page.get_by_role("tabpanel", name="Variance").is_visible()
    assert page.get_by_role("tabpanel").count() == 1


def test_a_click_on_a_heading_sorts_by_numbers_and_says_so(page):
    table = page.locator(f"#{ANCHOR}-leaderboard-table")
    heading = table.get_by_role("columnheader", name="Spearman")
    for order in ("descending", "ascending"):
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == order
        texts = table.locator("td:nth-child(6)").all_inner_texts()
        shown = [float(text.split("\n")[0].replace(MINUS, "-")) for text in texts]
        assert shown == sorted(shown, reverse=order == "descending")
        assert len(shown) == len(NAMES) + 2


@pytest.mark.parametrize("unknown", ["nan", "-inf", "inf", ""])
def test_an_unknown_value_is_last_in_either_order(page, unknown):
    table = page.locator(f"#{ANCHOR}-leaderboard-table")
    table.locator("tbody tr").nth(1).locator("td").nth(4).evaluate(
        "(cell, text) => { cell.dataset.value = text }", unknown
    )
    name = table.locator("tbody tr").nth(1).locator("th").inner_text()
    for _ in range(2):
        table.get_by_role("columnheader", name="Spearman").get_by_role("button").click()
        assert table.locator("tbody tr").last.locator("th").inner_text() == name


def test_intervals_of_baselines_alone_are_grey(page):
    table = page.locator(f"#{ANCHOR}-leaderboard-table")
    read = "bar => getComputedStyle(bar, '::before').backgroundColor"
    for row in table.locator("tbody tr").all():
        plain = row.get_attribute("class") is None
        assert plain == (row.locator("th").inner_text() in NAMES)
        other = table.locator("tr.reference .span").first.evaluate(read)
        assert (row.locator(".span").evaluate(read) != other) == plain


def test_rows_of_a_table_s_foot_stay_there_whatever_it_is_sorted_by(page):
    _open(page, "Bias")
    table = page.locator("table:has(tfoot)").first
    table.evaluate("table => { table.closest('details').open = true }")
    for heading in table.locator("thead button").all()[:2]:
        for _ in range(2):
            heading.click()
            feet = table.locator("tr").all()[len(NAMES) + 3 :]  # below the heading, the estimators and two counts
            assert "truth rises" in feet[0].inner_text()


@pytest.mark.parametrize(("media", "width"), [("screen", 1280), ("print", 1047)])  # paper: A4 across, less margins
def test_the_leaderboard_is_not_wider_than_the_screen_or_the_paper(visit, media, width):
    page = visit(viewport={"width": width, "height": 700})
    page.emulate_media(media=media)
    region = page.locator(f".scroll:has(#{ANCHOR}-leaderboard-table)")
    region.locator("tbody th").first.evaluate("cell => { cell.textContent = 'uniform, 3 checkpoints (readout=loss)' }")
    assert region.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_chains_of_layers_are_drawn_as_their_space_says(page):
    blocks = "([packed, name]) => picture(unfolded(packed, packed.drawn[0]), name).querySelectorAll('rect').length"
    scarlet = "-".join(["37s", "id", *["65"] * 17])
    chains = {
        ("macro", "22212220"): 8,
        ("scarlet", scarlet): 19,
        ("nds_vanilla", "d1-w16/d4-w32/d2-w64"): 7,
        ("nds_resnext_a", "d1-w16-b0.25-g4/d2-w32-b1-g1/d3-w64-b0.5-g2"): 6,
    }
    for (space, name), number in chains.items():
        packed = Drawings(load_space(space).drawing).packed([name])
        assert page.evaluate(blocks, [packed, name]) == number
    packed = Drawings(load_space("scarlet").drawing).packed([scarlet])
    said = page.evaluate("packed => legend([unfolded(packed, packed.drawn[0])]).textContent", packed)
    assert all(words in said for words in ("identity", "kernel 5", "kernel 7", "squeeze-excite"))
    assert page.evaluate("picture(unfolded({items: [], shapes: []}, null), '22212220')") is None


def test_an_address_with_a_stray_percent_sign_breaks_nothing(visit):
    page = visit("#%")
    assert page.get_by_role("tabpanel", name="Leaderboard").is_visible()


def test_the_filter_leaves_matching_estimators_in_tables_and_panels_and_counts_them(page):
    page.get_by_role("searchbox", name="Estimators").fill("SYN")
    rows = page.locator(f"#{ANCHOR}-leaderboard-table tbody tr:visible")
    assert [row.split("\t")[0] for row in rows.all_inner_texts()] == ["synflow"]
    assert page.get_by_role("status").first.inner_text() == "1 of 5 estimators"
    panel = _open(page, "Ranks")
    assert panel.locator(".panels h4:visible").all_inner_texts() == ["synflow"]
    page.get_by_role("searchbox", name="Estimators").fill("")
    page.get_by_label("Family").select_option("baseline")
    assert sorted(panel.locator(".panels h4:visible").all_inner_texts()) == ["flops", "params"]


def test_a_table_is_saved_as_csv_with_the_ends_of_its_intervals(page, tmp_path):
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as CSV: Leaderboard").click()
    saved.value.save_as(tmp_path / "leaderboard.csv")
    header, *rows = csv.reader((tmp_path / "leaderboard.csv").read_text(encoding="utf-8").splitlines())
    assert header[:4] == ["Estimator", "τ-b", "τ-b low", "τ-b high"]
    assert header[-4:] == ["n", "Trials", "Undefined", "Failed"]  # the page has the last three in small print
    assert {row[0] for row in rows} == {*NAMES, "params", "flops"}
    assert all(float(row[2]) < float(row[1]) < float(row[3]) and len(row) == len(header) for row in rows)


def test_arrow_keys_move_through_architectures_which_are_drawn_and_ranked(page):
    panel = _open(page, "Ranks")
    page.locator(".scatter[data-ready]").wait_for()
    page.locator("canvas").focus()
    page.keyboard.press("Home")
    chosen = panel.locator(".chosen")
    first = chosen.inner_text()
    assert "rank by truth\n1\n" in first
    assert chosen.locator("svg").get_attribute("aria-label") == chosen.locator("code").inner_text()
    page.keyboard.press("ArrowRight")
    assert chosen.inner_text() != first
    assert "rank 2 by truth" in panel.locator(".said").inner_text()


def test_pointing_at_a_dot_shows_its_architecture_with_the_ranks_of_the_tables(page, file):
    panel = _open(page, "Ranks")
    page.locator(".scatter[data-ready]").wait_for()
    panel.get_by_label("Up").select_option("params")
    page.locator("canvas").scroll_into_view_if_needed()
    frame = page.locator("canvas").bounding_box()
    for at in np.linspace(0.1, 0.9, 9):  # some dot is within reach of one of these
        page.mouse.move(frame["x"] + at * frame["width"], frame["y"] + (1 - at) * frame["height"])
    name = panel.locator(".chosen code").inner_text()
    with page.expect_download() as saved:
        panel.get_by_role("button", name="Ranks as CSV").click()
    rows = csv.DictReader(saved.value.path().read_text(encoding="utf-8").splitlines())
    ranks = {row["architecture"]: row for row in rows}
    assert len(ranks) == 60 < MOST_ARCHITECTURES
    shown = panel.locator(".chosen").inner_text()
    assert f"rank by params\n{ranks[name]['rank by params']}\n" in shown
    assert f"rank by truth\n{ranks[name]['rank by truth']}\n" in shown


def test_a_click_keeps_a_dot_until_escape(page):
    panel = _open(page, "Ranks")
    page.locator(".scatter[data-ready]").wait_for()
    page.locator("canvas").focus()
    page.keyboard.press("Home")
    chosen = panel.locator(".chosen")
    first = chosen.inner_text()
    page.locator("canvas").scroll_into_view_if_needed()
    frame = page.locator("canvas").bounding_box()

    def sweep():
        for at in np.linspace(0.3, 0.9, 7):  # some dot is within reach of one of these
            page.mouse.move(frame["x"] + at * frame["width"], frame["y"] + (1 - at) * frame["height"])
        return chosen.inner_text()

    assert sweep() == first
    page.keyboard.press("Escape")
    assert sweep() != first


def test_a_small_plot_chooses_its_estimator_and_a_search_finds_architectures(page):
    panel = _open(page, "Ranks")
    page.locator(".scatter[data-ready]").wait_for()
    panel.locator('.panels [data-estimator="plain"]').click()
    assert panel.get_by_label("Up").evaluate("select => select.selectedOptions[0].text") == "plain"
    panel.get_by_label("Find").fill("avg_pool_3x3~0")
    assert "avg_pool_3x3~0" in panel.locator(".chosen code").inner_text()
    assert "avg_pool_3x3~0" in panel.locator(".said").inner_text()
    panel.get_by_label("Find").fill("nothing such")
    assert panel.locator(".said").inner_text() == "No architecture contains nothing such"
    button = panel.get_by_role("button", name="Show the ranks by nwot")
    button.focus()
    page.keyboard.press("Enter")
    assert panel.get_by_label("Up").evaluate("select => select.selectedOptions[0].text") == "nwot"


def test_most_misjudged_architectures_are_drawn_with_a_legend(page):
    panel = _open(page, "Bias")
    pictures = panel.locator("td[data-architecture]")
    assert pictures.count() > 3 * len(NAMES)
    assert panel.locator("td[data-architecture] svg").count() == pictures.count()
    assert "nor_conv_3x3" in panel.locator(".scroll + .key").inner_text()


def test_every_control_can_be_reached_by_keyboard_and_its_focus_is_seen(page):
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "BUTTON", "INPUT", "SELECT", "DIV"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(visit, scheme):
    """WCAG 2.2, AA: a contrast of 4.5 for text of this size."""
    assert visit(color_scheme=scheme).evaluate(CONTRAST) == []


def test_the_dark_scheme_is_dark_and_the_light_one_light(visit):
    def paper(scheme):
        page = visit(color_scheme=scheme)
        return page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")

    assert max(paper("dark")) < 60
    assert min(paper("light")) > 200


def test_on_a_phone_nothing_but_tables_is_wider_than_the_screen(visit):
    page = visit(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    for tab in page.get_by_role("tab").all():
        tab.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_paper_shows_all_tabs_and_no_controls(page):
    page.emulate_media(media="print")
    for name in ("Which estimator ranks best?", "Where is it biased by size?", "How sure is the truth?"):
        assert page.get_by_role("heading", name=name).is_visible()
    assert not page.locator(".bar").is_visible()
    assert not page.locator("canvas").is_visible()


def test_what_paper_opens_is_closed_on_the_screen_after_it(page):
    opened = "[...document.querySelectorAll('details')].map((each) => each.open)"
    before = page.evaluate(opened)
    assert not all(before)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(page.evaluate(opened))
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(opened) == before


def test_without_scripts_all_tabs_are_sections_one_below_the_other(visit):
    page = visit(java_script_enabled=False)
    headings = page.locator(".tab h3")
    assert headings.count() >= 8
    assert all(heading.is_visible() for heading in headings.all())
    assert not page.locator("canvas").is_visible()
    assert not page.locator(".controls").first.is_visible()
