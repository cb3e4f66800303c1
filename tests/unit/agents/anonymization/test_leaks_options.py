"""Each option changes exactly its own rows, as the table has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import UID

from agents.anonymization.anonymize import anonymize
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.standard.codes import OPTION_CODES
from tests.canaries.checks import KEY, RETAIN, anonymized, policy_with
from tests.canaries.finding import decoded
from tests.canaries.oracle import Allowed, Fate, own_rows
from tests.canaries.planting import nested
from tests.canaries.table_objects import PARTS, full_file

METHOD = {"00120063", "00120064", "00280303"}
"""What says how it was done."""


def leaves(data: Dataset, where: tuple[int, ...] = ()) -> Iterator[tuple[str, object]]:
    """Give every element that is no sequence, by its path; of sequences the first items."""
    for element in data:
        tag = int(element.tag)
        if element.VR == "SQ":
            for item in element.value[:1]:
                yield from leaves(item, (*where, tag))
        else:
            yield nested((*where, tag)), (element.VR, str(element.value))


def changed_by(policy: Policy, part: str = "unlisted") -> set[str]:
    """Give the paths of what comes out otherwise than by the Basic profile."""
    content, _ = full_file(part)
    results = (anonymize(content, key=KEY, policy=one) for one in (policy_with(), policy))
    one, two = (dict(leaves(decoded(result.content))) for result in results)
    return {path for path in {*one, *two} if one.get(path) != two.get(path) and path[:8] not in METHOD}


def exactly_its_own_rows(option: str, part: str) -> None:
    _, canaries = full_file(part)
    basic, with_option = Allowed(), Allowed(frozenset([option]))
    fates: dict[Fate, set[str]] = {kind: set() for kind in Fate}
    for canary in canaries:
        place = canary.where, canary.tag, canary.vr
        if basic.fate(*place) is not with_option.fate(*place):
            fates[with_option.fate(*place)].add(nested((*canary.where, canary.tag)))
    changed = changed_by(policy_with(option), part)
    own = [f"{tag:08x}" for tag in own_rows(option)]
    assert fates[Fate.KEPT] - changed == set()
    # In a sequence that the option keeps, what the rules leave of other elements is new as well
    more = changed - fates[Fate.KEPT] - fates[Fate.CLEANED]
    assert [path for path in more if not any(tag in path.split("/") for tag in own)] == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("option", RETAIN)
def test_an_option_changes_exactly_its_own_rows(option, part):
    exactly_its_own_rows(option, part)


def test_an_option_without_rows_changes_none():
    assert not own_rows("clean_pixel_data")
    assert changed_by(policy_with("clean_pixel_data")) == set()


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("InstitutionName", "keep"),
        ("OperatorsName", "keep"),
        ("StudyDate", "keep"),
        ("Manufacturer", "remove"),
    ],
)
def test_an_exception_changes_one_attribute(keyword, action):
    policy = Policy(name="leaks", version=1, attributes={keyword: Override(action=action)})
    changed = changed_by(policy)
    tag = f"{tag_for_keyword(keyword):08x}"
    assert tag in changed
    assert {path.rpartition("/")[2] for path in changed} == {tag}


@pytest.mark.parametrize("option", RETAIN)
def test_an_option_is_declared(option):
    content, _ = full_file("unlisted")
    out = decoded(anonymized(content, option).content)
    said = [item.CodeValue for item in out.DeidentificationMethodCodeSequence]
    assert said == ["113100", OPTION_CODES[option].value]


def test_uids_of_dummies_are_uids():
    """In sequences that are filled with dummies none is kept, so that it is none of the original's."""
    out = decoded(anonymized(full_file("listed")[0], "retain_uids").content)
    uids = [element for element in out.iterall() if element.VR == "UI" and element.value]
    values = [str(element.value).strip("[]").replace("'", "").split(", ") for element in uids]
    assert [value for several in values for value in several if not UID(value).is_valid] == []
    assert len(uids) > 100
