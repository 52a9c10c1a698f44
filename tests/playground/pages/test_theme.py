"""Light and dark follow the system while the page is open, in all its parts at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Visit = Callable[..., Any]


def test_the_theme_follows_the_system(visit: Visit) -> None:
    page = visit("topology", color_scheme="light")
    page.locator(".ranking li").first.wait_for()
    page.evaluate("location.hash = '#/network'")
    page.wait_for_selector(".run.running")  # drawings look at the theme with every frame
    for scheme, offered in (("dark", "Light colours"), ("light", "Dark colours")):
        page.emulate_media(color_scheme=scheme)
        page.get_by_role("button", name=offered).wait_for()
        page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
