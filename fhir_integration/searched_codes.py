"""Which codes a search of Observations asks for, in parts that fit into a URL."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote_plus

from backend.twin.lab_facts import LAB_KINDS
from backend.twin.measures import by_code
from backend.twin.scales import known_scales
from fhir_integration.codes import (
    DIARY,
    INSTRUMENT,
    ITEMS,
    LOINC,
    MEASURE,
    NO_SITE_CODES,
    PANELS,
    RATING,
    SiteCodes,
    safety_items,
)
from fhir_integration.kinds.genotype import codes_of_genotypes
from fhir_integration.search_values import token

# Characters of one list of codes as it stands in a URL. IIS takes 2,048 of a query
# unless told otherwise; the patient and the days need some.
LONGEST = 1_800
_Code = tuple[str, str]  # system, code


def symptom_codes(site_codes: SiteCodes = NO_SITE_CODES) -> list[str]:
    """Values of the `code` search parameter: every code that is read as a symptom.

    Totals, items (a site may keep no total), panels, diaries. Our own systems are asked
    for as a whole (`system|`), so that a new rating or diary item needs no change here;
    the others code by code, and with them what the site calls any of these.
    """
    single = {(scale.system, scale.code) for scale in known_scales().values()}
    single |= set(safety_items()) | set(PANELS)
    single |= {(LOINC, code) for items in ITEMS.values() for code in items}
    return _parts(_tokens(single, {RATING, DIARY, INSTRUMENT}, site_codes))


def signal_codes(site_codes: SiteCodes = NO_SITE_CODES) -> list[str]:
    """The same for every code that is read as a body signal."""
    return _parts(_tokens(set(by_code()), {MEASURE}, site_codes))


def gene_codes(site_codes: SiteCodes = NO_SITE_CODES) -> list[str]:
    """The same for every code that is read as a genotype, or as what follows of one."""
    return _parts(_tokens(codes_of_genotypes(), set(), site_codes))


def lab_codes(site_codes: SiteCodes = NO_SITE_CODES) -> list[str]:
    """The same for every laboratory fact that rules on medicines ask for."""
    return _parts(_tokens({(LOINC, code) for code in LAB_KINDS}, set(), site_codes))


def _tokens(single: set[_Code], own: set[str], site_codes: SiteCodes) -> list[str]:
    called = {
        of for of, meant in site_codes.items() if meant in single or meant[0] in own
    }
    singles = sorted(one for one in single | called if one[0] not in own)
    return [
        *(f"{system}|" for system in sorted(own)),
        *(token(*one) for one in singles),
    ]


def _parts(tokens: Iterable[str]) -> list[str]:
    """Comma-separated lists of at most `LONGEST` characters, or of one code alone."""
    parts: list[list[str]] = []
    length = LONGEST + 1
    for one in tokens:
        taken = len(quote_plus(f",{one}"))
        if length + taken > LONGEST:
            parts.append([])
            length = 0
        parts[-1].append(one)
        length += taken
    return [",".join(part) for part in parts]
