"""Countries to choose from."""

from functools import lru_cache

from reefpoint.platform.basics.countries import COUNTRIES

FIRST_COUNTRIES = ("CN", "HK", "MO", "TW", "SG", "US", "GB", "CA", "AU", "JP")


@lru_cache
def country_options(is_chinese: bool) -> tuple[tuple[str, str], ...]:
    """Every country by name in one language, the likely ones first."""
    column = 1 if is_chinese else 0
    names = {code: words[column] for code, words in COUNTRIES.items()}
    rest = sorted(set(names) - set(FIRST_COUNTRIES), key=lambda code: names[code].encode("gb18030"))
    return tuple((code, names[code]) for code in (*FIRST_COUNTRIES, *rest))
