"""What people do in a browser, shared by the tests that begin or end in the middle of it."""

import re
import time
from pathlib import Path

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from playwright.sync_api import Page, expect
from tests.surfaces.portal.conftest import DOCUMENTS, SECTIONS, picture

from reefpoint.flows.origination.models import Lead
from reefpoint.platform.access.models import User

PASSWORD = "eine lange Zeile 7"
EMAIL = "fang@mail.test"


def code(secret: str) -> str:
    """What an authenticator app shows at this moment."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def arm(user: User, secret: str) -> None:
    """Give somebody who will sign the password and an authenticator."""
    if not user.has_usable_password() or not user.check_password(PASSWORD):
        user.set_password(PASSWORD)
        user.save()
    TOTP.activate(user, secret)


def fill(page: Page, section: str) -> None:
    """Type the answers of a section and go on."""
    page.goto(f"/portal/sections/{section}/")
    for name, value in SECTIONS[section].items():
        box = page.locator(f'[name="{name}"]')
        kind = box.first.get_attribute("type")
        if isinstance(value, list):
            for one in value:
                page.locator(f'[name="{name}"][value="{one}"]').check()
        elif kind in {"radio", "checkbox"}:
            page.locator(f'[name="{name}"][value="{value}"]').check()
        elif box.evaluate("box => box.tagName") == "SELECT":
            box.select_option(value)
        else:
            box.fill(value)
    page.get_by_role("button", name="保存并继续").click()
    expect(page.get_by_text("已保存。")).to_be_visible()


def enquire_and_apply(page: Page, tmp_path: Path) -> None:
    """From the public page to an application handed in: in Chinese, on a phone, with a break in the middle."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.context.set_default_timeout(30_000)  # the first example compiles the engine's loops
    page.goto("/start/?scheme=STANDARD&symbol=AAPL&amount=1m&loan=400k")
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_text("距强制平仓")).to_be_visible()
    page.get_by_label("您的姓名").fill("王芳")
    page.get_by_label("电子邮箱").fill(EMAIL)
    page.get_by_label("我同意你们保存以上信息").check()
    page.get_by_role("button", name="提交咨询").click()
    expect(page.get_by_role("heading", name="谢谢")).to_be_visible()
    assert Lead.objects.get().name == "王芳"

    page.get_by_role("link", name="注册").click()
    page.get_by_label("您的姓名").fill("王芳")
    page.locator('[name="email"]').fill(EMAIL)
    page.locator('[name="password1"]').fill(PASSWORD)
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_role("heading", name="请输入邮件中的验证码")).to_be_visible()
    code = re.search(r"^\s+(\S{4,12})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code is not None
    page.locator('[name="code"]').fill(code[1])
    page.get_by_role("button", name="确认").click()
    page.get_by_role("button", name="为我本人").click()
    expect(page.get_by_role("heading", name="您的申请")).to_be_visible()

    page.goto("/portal/sections/identity/")
    page.locator('[name="name"]').fill("Wang Fang")
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.ok):
        page.locator('[name="address"]').fill("1 Reef Road, Springfield")
        page.locator('[name="address"]').blur()
    expect(page.locator("#saved")).to_contain_text("已保存")
    page.get_by_role("button", name="退出").click()
    page.goto("/accounts/login/")
    page.locator('[name="login"]').fill(EMAIL)
    page.locator('[name="password"]').fill(PASSWORD)
    page.locator("form.stack button.primary").click()
    expect(page.get_by_role("heading", name="您的申请")).to_be_visible()
    page.goto("/portal/sections/identity/")
    expect(page.locator('[name="address"]')).to_have_value("1 Reef Road, Springfield")

    for section in SECTIONS:
        fill(page, section)
    for shade, kind in enumerate(DOCUMENTS):
        file = tmp_path / f"{kind}.png"
        file.write_bytes(picture(shade))
        page.goto(f"/portal/documents/?kind={kind}")
        page.locator('[name="file"]').set_input_files(file)
        page.get_by_role("button", name="上传").click()
        expect(page.get_by_text("文件已加密存档。")).to_be_visible()
    page.goto("/portal/questionnaire/")
    for card in page.locator("fieldset.portal-card").all():
        card.locator("input").last.check()
    page.get_by_role("button", name="提交答卷").click()
    expect(page.get_by_text("您的答卷已记录。")).to_be_visible()
    page.goto("/portal/review/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_role("heading", name="已提交").first).to_be_visible()
