"""The web page in a real browser, against a running node.

    python3 Tests/Page/page_test.py BASE_URL VIDEO OUT_DIR

Sends VIDEO through the page, follows the job to its end, plays and downloads clips, and leaves screenshots and the
downloaded files in OUT_DIR. Needs playwright (PyPI) and chromium. Exits 0, or 1 with the first thing that was wrong.
Environment: CHROMIUM (path of the browser), PAGE_JOB_SECONDS_MAX (how long the job may take, default 1800).
"""

import os
import random
import re
import sys
import tempfile
import zipfile
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
JOB_SECONDS_MAX = float(os.environ.get("PAGE_JOB_SECONDS_MAX", "1800"))
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


class Visit:
    """A tab, and everything in it that must not happen."""

    def __init__(self, context, base: str, out: Path):
        self.base, self.out = base.rstrip("/"), out
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("console", self._console)

    def _console(self, message):
        # A refused request is reported by the browser; whether it was right to be refused is the test's business.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def open(self, path: str = "/"):
        self.page.goto(self.base + path)

    def shot(self, name: str):
        self.page.screenshot(path=str(self.out / f"{name}.png"), full_page=True)

    def check_clean(self):
        assert not self.complaints, self.complaints


def says(page: Page, selector: str, text: str):
    expect(page.locator(selector).first).to_contain_text(text)


def until(page: Page, expression: str, seconds: float = 20):
    """Waits for `expression`. Playwright's own wait_for_function needs eval, which the page's policy forbids."""
    for _ in range(int(seconds * 10)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never became true: {expression}")


def check_languages(visit: Visit):
    page = visit.page
    visit.open()
    says(page, "h1", "De un video largo")
    assert page.evaluate("document.documentElement.lang") == "es"
    for code, words in (("en", "From one long video"), ("pt", "De um vídeo longo")):
        page.select_option("#language", code)
        says(page, "h1", words)
        page.reload()
        says(page, "h1", words)
    page.select_option("#language", "es")
    says(page, "h1", "De un video largo")
    missing = page.evaluate(r"/\b[a-z]+\.[a-z]+(\.[a-z]+)?\b/.exec(document.querySelector('main').innerText)?.[0] ?? null")
    assert missing is None or "." not in missing or missing.count(".") == 1 and missing.endswith((".mp4", ".txt", ".mov")), (
        f"a string without words: {missing}")


def check_accessibility(page: Page):
    """Names for everything that can be used, one first heading, no trap for a keyboard."""
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('a, button, input, select, video, summary')]
            .filter((node) => node.getClientRects().length)
            .filter((node) => !(node.innerText?.trim() || node.getAttribute('aria-label') || node.labels?.length
                || node.tagName === 'VIDEO'))
            .map((node) => node.outerHTML.slice(0, 120))""")
    assert not nameless, f"without a name: {nameless}"
    assert page.locator("h1").count() == 1
    assert page.locator("img:not([alt])").count() == 0
    page.keyboard.press("Tab")
    seen = set()
    for _ in range(40):
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.tagName"))
        page.keyboard.press("Tab")
    assert len(seen) > 3, f"the keyboard reaches only {seen}"


def check_width(page: Page, where: str):
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{where} is {wide} px wider than the window"


def check_cards(page: Page):
    """What a card holds is not cut off at its border, however narrow the cards are."""
    for width in (1100, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        cut = page.eval_on_selector_all(".clip", "cards => cards.map(card => card.scrollWidth - card.clientWidth)")
        assert cut and max(cut) <= 0, f"cards lose {cut} px at a width of {width}"


def check_effects(page: Page):
    """What would have no effect beside the rest is not asked for. Leaves the form as it was."""
    for faces in (False, True):
        page.locator(".toggle", has_text="Seguir las caras").click()
        for subtitles in ("off", "burned", "srt"):
            page.locator(f'input[name="subtitles"][value="{subtitles}"]').check(force=True)
            shown = [name for name in ("captions", "speakers", "closer")
                     if page.locator(f".options .field-{name}").is_visible()]
            wanted = {"captions": subtitles == "burned", "speakers": faces and subtitles != "off", "closer": faces}
            assert shown == [name for name in wanted if wanted[name]], f"{subtitles}, faces {faces}: {shown}"


def send(visit: Visit, file: Path, clips: int | None = None) -> str:
    """Chooses a file and the options, sends it, and answers with the id of the job."""
    page = visit.page
    visit.open()
    page.set_input_files("#video", str(file))
    says(page, ".file-name", file.name)
    if clips is not None:
        page.locator("#clip-count").focus()
        page.locator("#clip-count").evaluate(
            "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }", clips)
        page.locator("details.more summary").click()
        check_effects(page)
        page.fill("#keywords", "historia, idea")
        page.press("#keywords", "Enter")
        expect(page.locator(".chip")).to_have_count(2)
        page.locator(".chip button").first.click()
        expect(page.locator(".chip")).to_have_count(1)
        visit.shot("desktop-options")
    page.locator("button[type=submit]").click()
    page.wait_for_url(re.compile(r"#/jobs/job_"), timeout=600_000)
    return page.url.split("#/jobs/")[1]


def follow(visit: Visit):
    """From the first stage to the clips, over a reload."""
    page = visit.page
    page.wait_for_selector(".step.is-running, .step.is-done", timeout=60_000)
    page.wait_for_selector(".lane .lane-name", timeout=60_000)
    visit.shot("desktop-running")
    page.reload()
    page.wait_for_selector(".step.is-running, .step.is-done", timeout=60_000)
    page.wait_for_selector(".pill.is-ready, .pill.is-error", timeout=JOB_SECONDS_MAX * 1000)
    assert page.locator(".pill.is-ready").count() == 1, page.locator(".notice-error").inner_text()
    lanes = page.locator(".lane-name").all_inner_texts()
    print("stages ran on:", ", ".join(lanes))
    return lanes


def watch_and_take(visit: Visit, out: Path):
    page = visit.page
    cards = page.locator(".clip.is-ready")
    count = cards.count()
    assert count > 0, "no clip is ready"
    for index in range(count):
        card = cards.nth(index)
        assert card.locator("h3").inner_text().strip()
        assert re.fullmatch(r"\d+", card.locator(".score").inner_text().strip())
        assert card.locator(".clip-reason").inner_text().strip()
        assert card.locator(".figure").count() > 0
    page.locator(".clip-play").last.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.clip-play img')].every((image) => image.complete && image.naturalWidth)")
    page.evaluate("window.scrollTo(0, 0)")
    first = cards.first
    first.locator("details.signals summary").click()
    visit.shot("desktop-ready")
    first.locator(".clip-play").click()
    until(page, "document.querySelector('.clip-frame video')?.currentTime > 0.3")
    page.locator(".clip-frame video").evaluate("(video) => video.pause()")
    taken = {}
    for name, link in (
        ("clip.mp4", first.locator(".clip-links a").nth(0)), ("clip.srt", first.locator(".clip-links a").nth(1)),
        ("clip.vtt", first.locator(".clip-links a").nth(2)), ("all.zip", page.locator(".job-actions a")),
    ):
        with page.expect_download() as download:
            link.click()
        taken[name] = out / name
        download.value.save_as(str(taken[name]))
    assert taken["clip.mp4"].read_bytes()[4:8] == b"ftyp"
    assert "-->" in taken["clip.srt"].read_text()
    assert taken["clip.vtt"].read_text().startswith("WEBVTT")
    with zipfile.ZipFile(taken["all.zip"]) as archive:
        assert archive.testzip() is None
        assert sum(name.endswith(".mp4") for name in archive.namelist()) == count, archive.namelist()
    print(f"{count} clips shown, played and downloaded")


def check_waterfall(visit: Visit):
    """Opened by keyboard: every stage with a bar, and who took how long in words."""
    page = visit.page
    page.locator("details.waterfall summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".waterfall-row .waterfall-bar", timeout=20_000)
    rows = page.locator(".waterfall-row")
    assert rows.count() >= 10, f"{rows.count()} stages"
    for index in range(rows.count()):
        row = rows.nth(index)
        assert row.locator(".waterfall-bar").count() >= 1, row.inner_text()
        assert re.search(r"trabajó\s\d", row.locator(".waterfall-figures").inner_text()), row.inner_text()
    assert re.search(r"Esperó .* trabajó .* de procesador .*B", page.locator(".waterfall-sum").inner_text())
    render = rows.filter(has_text=re.compile("de procesador"))
    assert render.count() >= 1, "no stage tells its processor time"
    assert re.search(r"leyó .*B", page.locator(".waterfall-line[title*='leyó']").first.get_attribute("title") or "")
    visit.shot("desktop-waterfall")
    page.locator(".waterfall").screenshot(path=str(visit.out / "waterfall.png"))


def check_others(visit: Visit, job: str):
    """What somebody else asks for is seen when the page is looked at again, and followed to its end."""
    page = visit.page
    address = f"{visit.base}/api/jobs/{job}"
    clip = page.request.get(address).json()["clips"][0]
    wish = {"clipId": clip["id"], "ifRevision": clip["revision"], "title": "De otra persona"}
    answer = page.request.post(f"{address}/rerender", data=wish)
    assert answer.status == 202, answer.text()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".clip h3", has_text="De otra persona")).to_be_visible(timeout=JOB_SECONDS_MAX * 1000)
    page.wait_for_selector(".pill.is-ready", timeout=60_000)


def check_failure(visit: Visit, out: Path):
    """A text that calls itself a video ends in an error that says what to do, in the reader's language."""
    fake = out / "no es un video.mp4"
    fake.write_text("text\n" * 4000)
    send(visit, fake)
    page = visit.page
    page.wait_for_selector(".pill.is-error", timeout=120_000)
    assert page.locator(".notice-error .notice-title").inner_text().strip()
    assert page.locator(".notice-error .notice-hint").inner_text().strip()
    visit.shot("desktop-error")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator(".job-actions button").last.click()
    page.wait_for_selector(".hero", timeout=20_000)


def check_resuming(visit: Visit, out: Path):
    """An upload is paused, the page is loaded again, and what had arrived is not sent a second time."""
    page = visit.page
    file = out / "larga.mp4"
    file.write_bytes(random.Random(7).randbytes(4_000_000))
    offsets: list[int] = []
    page.on("request", lambda request: request.method == "PATCH" and offsets.append(int(request.headers["upload-offset"])))
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}
    network.send("Network.emulateNetworkConditions", slow)
    visit.open()
    page.set_input_files("#video", str(file))
    page.locator("button[type=submit]").click()
    until(page, "parseInt(document.querySelector('.percent')?.textContent) >= 25")
    page.get_by_role("button", name="Pausar").click()
    says(page, ".sending-title", "Subida en pausa")
    visit.shot("desktop-paused")
    page.get_by_role("button", name="Continuar").click()
    says(page, ".sending-title", "Subiendo")
    until(page, "parseInt(document.querySelector('.percent')?.textContent) >= 40")
    page.reload()
    page.set_input_files("#video", str(file))
    says(page, ".file-resumes", "seguirá donde se quedó")
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    page.locator("button[type=submit]").click()
    page.wait_for_url(re.compile(r"#/jobs/job_"), timeout=60_000)
    assert len(offsets) == 3 and 0 == offsets[0] < offsets[1] < offsets[2], offsets
    print("an upload went on at", offsets)
    page.wait_for_selector(".pill.is-error", timeout=120_000)
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator(".job-actions button").last.click()
    page.wait_for_selector(".hero", timeout=20_000)


def check_missing_job(visit: Visit):
    visit.open("/#/jobs/job_00000000000000000000000000")
    visit.page.wait_for_selector(".notice-error", timeout=20_000)
    says(visit.page, "h1", "ya no existe")


def run(base: str, video: Path, out: Path):
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
            viewport=DESKTOP, accept_downloads=True, locale="es-ES")
        visit = Visit(browser, base, out)
        check_languages(visit)
        check_accessibility(visit.page)
        visit.shot("desktop-home")
        job = send(visit, video, clips=4)
        follow(visit)
        watch_and_take(visit, out)
        check_waterfall(visit)
        check_others(visit, job)
        check_accessibility(visit.page)
        check_cards(visit.page)
        visit.page.set_viewport_size(PHONE)
        check_width(visit.page, "the job on a phone")
        visit.shot("phone-ready")
        visit.page.locator(".waterfall").screenshot(path=str(out / "waterfall-phone.png"))
        visit.open()
        visit.page.wait_for_selector(f'.job-row[href="#/jobs/{job}"]')
        check_width(visit.page, "the first view on a phone")
        visit.shot("phone-home")
        visit.page.set_viewport_size(DESKTOP)
        check_failure(visit, out)
        check_resuming(visit, out)
        check_missing_job(visit)
        visit.check_clean()
        browser.close()
    print("the page is well")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except (AssertionError, PlaywrightError) as wrong:
        sys.exit(f"the page is not well: {wrong}")
