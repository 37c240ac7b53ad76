"""Countries as lists name them, to ISO 3166 codes; what is not here stays in the list's own words."""

CODES = {
    "afghanistan": "af", "algeria": "dz", "angola": "ao", "armenia": "am", "australia": "au", "austria": "at",
    "azerbaijan": "az", "bahrain": "bh", "bangladesh": "bd", "belarus": "by", "belgium": "be", "brazil": "br",
    "bulgaria": "bg", "burma": "mm", "myanmar": "mm", "cambodia": "kh", "canada": "ca",
    "central african republic": "cf",
    "china": "cn", "people's republic of china": "cn", "colombia": "co", "congo, democratic republic of the": "cd",
    "democratic republic of the congo": "cd", "cuba": "cu", "cyprus": "cy", "czech republic": "cz", "denmark": "dk",
    "egypt": "eg", "eritrea": "er", "ethiopia": "et", "finland": "fi", "france": "fr", "georgia": "ge", "germany": "de",
    "greece": "gr", "haiti": "ht", "hong kong": "hk", "hungary": "hu", "india": "in", "indonesia": "id", "iran": "ir",
    "iran (islamic republic of)": "ir", "islamic republic of iran": "ir", "iraq": "iq", "ireland": "ie", "israel": "il",
    "italy": "it", "japan": "jp", "jordan": "jo", "kazakhstan": "kz", "kenya": "ke", "korea, north": "kp",
    "democratic people's republic of korea": "kp", "north korea": "kp", "korea, south": "kr", "republic of korea": "kr",
    "south korea": "kr", "kuwait": "kw", "kyrgyzstan": "kg", "laos": "la", "lebanon": "lb", "libya": "ly",
    "macau": "mo",
    "malaysia": "my", "mali": "ml", "malta": "mt", "mexico": "mx", "moldova": "md", "mongolia": "mn", "morocco": "ma",
    "netherlands": "nl", "the netherlands": "nl", "nicaragua": "ni", "nigeria": "ng", "norway": "no", "oman": "om",
    "pakistan": "pk", "palestinian": "ps", "panama": "pa", "philippines": "ph", "poland": "pl", "portugal": "pt",
    "qatar": "qa", "romania": "ro", "russia": "ru", "russian federation": "ru", "saudi arabia": "sa", "serbia": "rs",
    "singapore": "sg", "slovakia": "sk", "somalia": "so", "south africa": "za", "south sudan": "ss", "spain": "es",
    "sri lanka": "lk", "sudan": "sd", "sweden": "se", "switzerland": "ch", "syria": "sy", "syrian arab republic": "sy",
    "taiwan": "tw", "tajikistan": "tj", "thailand": "th", "tunisia": "tn", "turkey": "tr", "türkiye": "tr",
    "turkmenistan": "tm", "ukraine": "ua", "united arab emirates": "ae", "united kingdom": "gb", "united states": "us",
    "united states of america": "us", "uzbekistan": "uz", "venezuela": "ve", "vietnam": "vn", "viet nam": "vn",
    "yemen": "ye", "zimbabwe": "zw",
}  # fmt: skip


def country_code(text: str) -> str:
    """A country's code, or its own words in lower case where it is not known."""
    words = " ".join(text.casefold().split())
    return CODES.get(words, words)[:60]
