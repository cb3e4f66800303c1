from __future__ import annotations

import pytest

from tests.unit.agents.anonymization.text.known_values import known

DAYS = [
    *(
        "19700131",
        "1970-01-31",
        "1970/1/31",
        "1970.01.31",
        "31.01.1970",
        "31.1.1970",
        "31.01.70",
        "31-01-1970",
    ),
    *("01/31/1970", "1/31/70", "31/01/1970", "31011970", "310170", "700131", "01311970", "19700131101500"),
    *(
        "31 Jan 1970",
        "31-JAN-1970",
        "31JAN1970",
        "31Jan70",
        "31. Januar 1970",
        "31. Jänner 1970",
        "Jan 31, 1970",
    ),
    *("January 31, 1970", "January 31st 1970", "31st of January 1970", "31 janvier 1970", "31 janv. 1970"),
    *("31 de enero de 1970", "31 ene 1970", "31 gennaio 1970", "31 de janeiro de 1970", "31 januari 1970"),
    *("31.I.1970", "31 I 1970", "1970.I.31", "1970-W05-6", "1970-031"),
    *("1970-Jan-31", "1970 January 31", "1970年1月31日", "１９７０年１月３１日", "31 01 1970"),
]


@pytest.mark.parametrize("text", DAYS)
def test_days_are_found_in_any_spelling(text):
    values = known(birth="19700131")
    assert values.occur_in(f"CT of {text}, head".encode())
    assert values.occur_in(f"CT_{text}_head".encode())
    assert not known(birth="19690131").occur_in(f"CT of {text}, head".encode())
