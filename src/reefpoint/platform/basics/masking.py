"""How personal details are shown to whoever may not read them: enough to recognise, not to use."""

HIDDEN = "*"


def mask_identifier(number: str) -> str:
    """An identity, company or tax number: its first three and last two characters, or fewer of a short one."""
    if len(number) >= 10:
        return _keep(number, 3, 2)
    return _keep(number, 1, 1) if len(number) >= 5 else HIDDEN * len(number)


def mask_account(number: str) -> str:
    """A bank or custody account: its last four characters, nothing of one with fewer than eight."""
    return _keep(number, 0, 4) if len(number) >= 8 else HIDDEN * len(number)


def mask_phone(number: str) -> str:
    """A telephone number: its first three and last two characters, nothing of a short one."""
    return _keep(number, 3, 2) if len(number) >= 8 else HIDDEN * len(number)


def mask_email(address: str) -> str:
    """An e-mail address: its first letter and its domain."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}{HIDDEN * 3}{at}{domain}" if at else HIDDEN * len(address)


def mask_text(text: str) -> str:
    """An address or other free text: that there is one, and nothing of it."""
    return HIDDEN * 6 if text else ""


def _keep(text: str, first: int, last: int) -> str:
    return text[:first] + HIDDEN * (len(text) - first - last) + text[len(text) - last :]
