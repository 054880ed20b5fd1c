"""A person who only has a keyboard: where Tab leads on a page, in which order, and what shows where one is.

The order is judged by what is seen: within a landmark the focus never jumps up or back, but for the top of the next
column. A place counts as shown when an outline is drawn around it, or around the field that it stands in, whose colour
stands out from what is behind, and which no frame cuts off on both sides.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.sync_api import Locator, Page

_STEPS_MAX, _WALKS_MAX = 400, 4
_SLACK_PX = 4
_CONTRAST_MIN = 3.0
"""Of a ring against what is behind it, as WCAG 2.2 asks of parts of a control."""
_HELPERS = """
() => {
  const seen = new Map();
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = (color) => {
    const [r, g, b] = parse(color).slice(0, 3).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one.parentElement; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      const parts = parse(color);
      if (parts.length === 3 || parts[3] === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const isCut = (one, style) => {
    const out = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth) - 1;
    const box = one.getBoundingClientRect();
    for (let around = one.parentElement; around && around !== document.body; around = around.parentElement) {
      if (getComputedStyle(around).overflowX === "visible") continue;
      const frame = around.getBoundingClientRect();
      const cut = [box.top - out < frame.top, box.bottom + out > frame.bottom];
      const cutAside = [box.left - out < frame.left, box.right + out > frame.right];
      const [isTaller, isWider] = [box.height > frame.height, box.width > frame.width];
      if ((cut[0] && cut[1] && !isTaller) || (cutAside[0] && cutAside[1] && !isWider)) return true;
    }
    return false;
  };
  const ring = (one) => {
    for (const at of [one, one.closest(".file-input")]) {
      if (!at) continue;
      const style = getComputedStyle(at);
      if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !isCut(at, style))
        return contrast(style.outlineColor, behind(at));
    }
    return 0;
  };
  const words = (one) => {
    const name = one.getAttribute("aria-label") || one.name || one.textContent || "";
    return `${one.tagName.toLowerCase()} “${name.trim().slice(0, 40)}”`;
  };
  const number = (one) => {
    if (!seen.has(one)) seen.set(one, seen.size);
    return seen.get(one);
  };
  const isMetAlone = (one) =>
    one.type !== "radio" || one.checked ||
    ![...document.querySelectorAll(`input[type=radio][name="${CSS.escape(one.name)}"]`)].some((other) => other.checked);
  const scrolled = (one) => {
    const at = [0, scrollY + (one.closest("dialog")?.scrollTop || 0)];
    for (let around = one.parentElement; around; around = around.parentElement) at[0] += around.scrollLeft;
    return at;
  };
  const upright = (one, box, y) => {
    let [top, bottom] = [box.top, box.bottom];
    for (let around = one.parentElement; around && around !== document.body; around = around.parentElement) {
      if (getComputedStyle(around).overflowY === "visible") continue;
      const frame = around.getBoundingClientRect();
      [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
    }
    return { top: top + y, bottom: bottom + y };
  };
  window.keyboard = {
    isWhole: () => [...seen.keys()].every((one) => one.isConnected),
    all: (root) =>
      [...root.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
        .filter((one) => one.tabIndex >= 0 && !one.matches(":disabled, [type=hidden]") && isMetAlone(one))
        .filter((one) => one.checkVisibility({ visibilityProperty: true }))
        .filter((one) => root.matches("dialog") || !one.closest("dialog"))
        .map((one) => ({ id: number(one), words: words(one) })),
    here: () => {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      const box = (one.closest(".file-input") || one).getBoundingClientRect();
      const seen = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
      const top = document.elementFromPoint(box.x + box.width / 2, (seen[0] + seen[1]) / 2);
      const [x, y] = scrolled(one);
      const landmark = one.closest("dialog") || one.closest("header, main, footer") || one.closest("nav");
      return {
        id: number(one), words: words(one), ring: ring(one), landmark: landmark ? landmark.tagName.toLowerCase() : "",
        is_on_screen: !!top && (one.contains(top) || top.contains(one)),
        left: box.left + x, right: box.right + x, ...upright(one, box, y),
      };
    },
  };
}
"""


@dataclass(frozen=True, slots=True)
class Stop:
    """One place where the focus rests."""

    id: int
    words: str
    """What it is, for whoever reads a complaint."""
    ring: float
    """How far the ring stands out from what is behind it; 0: there is none."""
    landmark: str
    is_on_screen: bool
    """Whether it is seen, and nothing lies over it."""
    left: float
    right: float
    top: float
    bottom: float

    def is_before(self, other: "Stop") -> bool:
        """Whether a reader comes by this place before the other one."""
        if other.top >= self.bottom - _SLACK_PX:
            return True
        if self.top >= other.bottom - _SLACK_PX:
            return other.left >= self.right - _SLACK_PX  # the top of the next column
        return other.left >= self.left - _SLACK_PX


def walk(page: Page, *, start: Locator) -> list[Stop]:
    """Press Tab from ``start`` until the focus leaves the page or has come round; return where it rested.

    A page that was drawn anew meanwhile, as after a line that broke on a loaded machine, is walked again.
    """
    stops = _walk_once(page, start=start)
    for _ in range(_WALKS_MAX - 1):
        if page.evaluate("window.keyboard.isWhole()"):
            break
        stops = _walk_once(page, start=start)
    return stops


def _walk_once(page: Page, *, start: Locator) -> list[Stop]:
    """Press Tab from ``start`` until the focus leaves the page or has come round."""
    page.evaluate(_HELPERS)
    page.keyboard.press("F2")  # does nothing, but whoever clicked before is shown no ring
    start.focus()
    stops = [_here(page)]
    for _ in range(_STEPS_MAX):
        page.keyboard.press("Tab")
        found = page.evaluate("window.keyboard.here()")
        if found is None or found["id"] == stops[0].id:
            return stops
        if found["id"] != stops[-1].id:  # a date has several places of its own
            stops.append(Stop(**found))
    message = f"Tab leads nowhere: after {_STEPS_MAX} steps it is at {stops[-1].words}"
    raise AssertionError(message)


def complaints_about(page: Page, stops: list[Stop], *, root: str = "body") -> list[str]:
    """Say what is wrong with the places where the focus rested on a page, or in a dialog of it."""
    wanted: list[dict[str, Any]] = page.evaluate("(root) => window.keyboard.all(document.querySelector(root))", root)
    met = [stop.id for stop in stops]
    landmarks = [stop.landmark for stop in stops if stop.landmark]
    entered = [one for number, one in enumerate(landmarks) if number == 0 or landmarks[number - 1] != one]
    return [
        *[f"is never reached: {one['words']}" for one in wanted if one["id"] not in met],
        *[f"shows no ring: {stop.words}" for stop in stops if stop.ring == 0],
        *[f"has a ring that is hard to see: {stop.words}" for stop in stops if 0 < stop.ring < _CONTRAST_MIN],
        *[f"is out of sight: {stop.words}" for stop in stops if not stop.is_on_screen],
        *[
            f"comes too late: {then.words}, after {first.words}"
            for first, then in pairwise(stops)
            if first.landmark == then.landmark and not first.is_before(then)
        ],
        *([f"the landmarks are entered in the order {entered}"] if len(entered) > len(set(entered)) else []),
    ]


def _here(page: Page) -> Stop:
    """Return where the focus is."""
    return Stop(**page.evaluate("window.keyboard.here()"))
