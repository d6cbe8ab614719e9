"""The steps of a cancellation and of a withdrawal, found by what the fields are called in every language."""

from playwright.sync_api import FilePayload, Page

from aftercart.orders.models import Order


def choose(page: Page, order: Order, *places: int, quantity: str = "") -> None:
    """Fill in the first step for the items at these places, with the first reason for each."""
    page.goto(f"/orders/{order.number}/cancel/")
    for place in places:
        choice = page.locator(".choice").nth(place)
        choice.locator("[type=checkbox]").check()
        choice.locator("select[name$=reason]").select_option(index=1)
        if quantity:
            choice.locator("[name$=quantity]").fill(quantity)


def go_on(page: Page) -> None:
    """Send the first step, and wait for the second."""
    page.locator("button[value=quote]").click()
    page.locator("[name=return_policy]").wait_for()


def confirm(page: Page) -> None:
    """Send the second step, and wait for the third."""
    page.locator("[name=return_policy]").check()
    page.locator("button[value=send]").click()
    page.wait_for_url("**/cancel/*-*/")


def add_photos(page: Page, *photos: bytes) -> None:
    """Choose files for the first item on the page of a return, and send them."""
    form = page.locator("#photos form:has([type=file])").first
    files = [
        FilePayload(name=f"photo-{n}.jpg", mimeType="image/jpeg", buffer=data)
        for n, data in enumerate(photos)
    ]
    form.locator("[type=file]").set_input_files(files)
    form.locator(
        "[type=file]:not([aria-busy])"
    ).wait_for()  # else what is sent is what was chosen, or made small
    with page.expect_navigation():
        form.locator("button").click()


def withdraw(page: Page) -> None:
    """Go from the order's page to the receipt of a withdrawal."""
    page.locator("main a[href$='/withdraw/']").click()
    confirm_withdrawal(page)


def confirm_withdrawal(page: Page) -> None:
    """Send both steps of a withdrawal, and wait for its receipt."""
    page.locator("button[value=review]").click()
    page.locator("form:has([name=step][value=confirm]) .primary").click()
    page.wait_for_url("**/withdraw/*-*/")
