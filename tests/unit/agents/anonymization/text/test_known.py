# ruff: noqa: RUF001 - names in other scripts

from __future__ import annotations

import time

import pydicom
import pytest
from pydicom.datadict import DicomDictionary

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.folding import plain, visible
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import KIND_OF, Kind, Naming, naming_in
from gateway.part10 import Bounds, encoding_of, read_meta

UTF8 = b"ISO_IR 192"
NAME, ID, BIRTH, ACCESSION, CHARSET = 0x00100010, 0x00100020, 0x00100030, 0x00080050, 0x00080005
NAME_TO_USE = 0x00100012
INSTITUTION, ADDRESS, TELEPHONE, STUDY_ID = 0x00080080, 0x00101040, 0x00102154, 0x00200010


def known(**values):
    tags = {
        "name": NAME,
        "id": ID,
        "birth": BIRTH,
        "accession": ACCESSION,
        "institution": INSTITUTION,
        "address": ADDRESS,
        "telephone": TELEPHONE,
        "study_id": STUDY_ID,
    }
    return KnownValues.of_dataset(
        {CHARSET: UTF8} | {tags[key]: value.encode() for key, value in values.items()}
    )


def found(values, text):
    simple = plain(visible(text))
    in_spans = sorted({simple[start:end] for start, end in values.spans(simple)}, key=len)
    return in_spans[-1] if in_spans else None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Mustermann^Erika", "mustermann"),
        ("Mustermann^Erika", "MUSTERMANN"),
        ("Mustermann^Erika", "E. Mustermann"),
        ("Mustermann^Erika", "Mustermann, E"),
        ("Mustermann^Erika", "Erika Mustermann"),
        ("Mustermann^Erika", "Mustermann_Erika"),
        ("Mustermann^Erika", "mustermannerika"),
        ("Mustermann^Erika", "emustermann"),
        ("Mustermann^Erika", "Mustermanns"),
        ("Mustermann^Erika", "ctmustermannhead"),
        ("Mustermann^Erika", "M u s t e r m a n n"),
        ("Mustermann^Erika", "Mus\u200bter\u00admann"),
        ("Mustermann^Erika", "ＭＵＳＴＥＲＭＡＮＮ"),
        ("Mustermann^Erika Maria", "E.M. Mustermann"),
        ("Mustermann^Erika Maria", "E. Mustermann"),
        ("Mustermann^Erika Maria", "Mustermann EM"),
        ("Erika Mustermann", "Mustermann E"),
        ("Mustermann, Erika", "E Mustermann"),
        ("Müller^Jürgen", "MUELLER"),
        ("Müller^Jürgen", "Muller"),
        ("Müller^Jürgen", "Mu\u0308ller"),
        ("Mueller^Juergen", "Müller"),
        ("Muller^Jurgen", "MÜLLER"),
        ("Weiß^Dora", "WEISS"),
        ("Weiss^Dora", "Weiß"),
        ("Ødegård^Åse", "Oedegard"),
        ("Dvořák^Antonín", "DVORAK"),
        ("Łukasz^Kowalski", "Lukasz"),
        ("O'Brien^Ann", "OBRIEN"),
        ("O'Brien^Ann", "O Brien"),
        ("O'Brien^Ann", "O’Brien"),
        ("van der Meer^Jan", "vandermeer"),
        ("van der Meer^Jan", "Meer"),
        ("Smith-Jones^Amy", "Jones"),
        ("Smith-Jones^Amy", "smithjones"),
        ("Li^Wei", "Li Wei"),
        ("Li^Wei", "li"),
        ("Ng^Al", "NG"),
        ("Diallo^Aminata=  ^=", "AMINATA"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田太郎様"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "太郎"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ヤマダ"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ﾔﾏﾀﾞ"),
        ("Wang^XiaoDong=王^小东", "王小东"),
        ("Wang^XiaoDong=王^小东", "xiaodong"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동의"),
        ("Διονυσιος", "ΔΙΟΝΥΣΙΟΣ"),
        ("Люкceмбypг", "люкceмбypг"),
        ("قباني^لنزار", "قَبّاني"),
        ("שרון^דבורה", "שרון"),
    ],
)
def test_names_are_found_in_any_spelling(name, text):
    values = known(name=name)
    whole = plain(visible(text))
    for around in ("{}", "CT {} head", "({})", "CT_{}_1", "x/{}.", "\n{}\r\n"):
        assert found(values, around.format(text)) == whole
        assert values.occur_in(around.format(text).encode())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Mustermann^Erika", "Muster mit Mann"),
        ("Mustermann^Erika", "E M"),
        ("Mustermann^Erika", "Muster  /  Mann"),
        ("Stern^Anna", "Sternum"),
        ("Li^Wei", "Liver"),
        ("Li^Wei", "LINAC"),
        ("Doe^John", "Does"),
        ("Ray^Ann", "X-RAY"),
        ("Ches^T", "CHEST"),
        ("Kid^Ney", "kidney"),
        ("Meer^Jan^^Dr.^MD", "Dr. MD"),
        ("van der Meer^Jan", "van der"),
        ("Anonymous^Patient", "Patient anonymous"),
        ("Tech^CT", "CT tech"),
        ("^^^^", "^^^^"),
        ("", "anything"),
    ],
)
def test_other_words_are_not(name, text):
    assert found(known(name=name), text) is None
    assert not known(name=name).occur_in(text.encode())


def test_a_short_name_inside_of_a_word_is_none_in_a_code():
    values = known(name="Mustermann^Erika")
    assert found(values, "Erikasson") == "Erikasson"
    assert not values.occur_in(b"Erikasson")


def test_a_name_that_is_an_ordinary_word_is_none_in_a_code():
    values = known(name="Head^Erika")
    assert found(values, "HEAD") == "HEAD"
    assert not values.occur_in(b"HEAD")
    assert values.occur_in(b"HEAD ERIKA")


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("PID-0012345", "PID-0012345"),
        ("PID-0012345", "pid0012345"),
        ("PID-0012345", "PID12345"),
        ("PID-0012345", "0012345"),
        ("PID-0012345", "12345"),
        ("PID-0012345", "00012345"),
        ("PID-0012345", "P I D 0 0 1 2 3 4 5"),
        ("00123456", "123456"),
        ("123456", "000123456"),
        ("123456", "12-34-56"),
        ("12-34-56", "123456"),
        ("12.345.678/9", "123456789"),
        ("12345", "12345"),
        ("98279", "0098279"),
        ("0010", "0010"),
        ("123", "123"),
        ("A12", "A12"),
        ("A12-7", "A127"),
        ("4MR1", "4MR1"),
        ("MUSTERMANN", "mustermann"),
        ("SMITH_1971", "Smith"),
        ("11-05-25-142825", "142825"),
        ("123456", "１２３４５６"),
    ],
)
def test_ids_are_found(identifier, text):
    for values in (known(id=identifier), known(accession=identifier)):
        assert found(values, text) == plain(visible(text))
        assert values.occur_in(f"no. {text};".encode())


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("1", "1 of 1"),
        ("12", "12 mm"),
        ("123", "1234"),
        ("12345", "123 45"),
        ("12345", "512345"),
        ("12345", "1234"),
        ("T12", "T 12"),
        ("BRAIN", "Brain"),
        ("4MR1", "MR 1"),
        ("id", "id"),
    ],
)
def test_other_numbers_are_not(identifier, text):
    assert found(known(id=identifier), text) is None
    assert not known(id=identifier).occur_in(text.encode())


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("PX12345678", "0PX123456787"),
        ("PX12345678", "aPX 12345678b"),
        ("1234567", "9-12345678"),
        ("7A1234", "ct7a1234x"),
    ],
)
def test_long_ids_are_found_whatever_stands_around_them(identifier, text):
    assert known(id=identifier).occur_in(text.encode())
    assert found(known(id=identifier), text) is not None


def test_an_id_of_an_examination_counts_with_a_digit_only():
    assert found(known(study_id="ANGIO"), "Angio") is None
    assert found(known(study_id="ANGIO4711"), "angio 4711") == "angio 4711"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Springfield", "Springfield"),
        ("SMGHS protocol", "SMGHS"),
        ("St. Mary's", "Mary"),
        ("hospital", None),
        ("General", None),
    ],
)
def test_institutions(text, expected):
    assert found(known(institution="St. Mary's General Hospital of Springfield"), text) == expected
    assert found(known(institution="Saint Mary Hospital, SMH"), "SMH") == "SMH"


def test_who_keeps_a_coding_scheme_is_no_institution():
    values = KnownValues.of_elements([Naming(0x00080110, 0x00080116, b"SNOMED International")])
    assert not values.occur_in(b"SNOMED CT")


def test_makers_are_no_institutions():
    values = known(institution="TOSHIBA Medical Systems")
    assert not values.occur_in(b"TOSHIBA")
    assert not known(institution="Philips Healthcare").occur_in(b"Philips Medical Systems")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hauptstr. 12", "Hauptstr. 12"),
        ("80331 München", "80331 München"),
        ("MUENCHEN", "MUENCHEN"),
        ("12", None),
    ],
)
def test_addresses(text, expected):
    assert found(known(address="Hauptstr. 12, 80331 München"), text) == expected


@pytest.mark.parametrize("text", ["+49 89 1234-567", "089 1234567", "0891234567", "1234567", "123 45 67"])
def test_telephone_numbers(text):
    values = known(telephone="+49 (0)89 1234-567")
    assert (
        text.replace(" ", "")
        .replace("-", "")
        .endswith(found(values, text).replace(" ", "").replace("-", "")[-7:])
    )


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


def test_attributes_of_every_person_are_looked_at():
    people = {tag for tag, entry in DicomDictionary.items() if entry[0] == "PN"}
    assert {tag for tag, kind in KIND_OF.items() if kind is Kind.PERSON} == people | {NAME_TO_USE}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "M?ller",
            "M\ufffdller",
            "M_ller",
            "M}ller",
            "Mller",
            "\u004d\u00c3\u00bcller",
            "Entenst?dt",
        ),
    ],
)
def test_names_are_found_that_lost_their_umlauts_on_the_way(text):
    values = known(name="Müller^Jürgen", institution="Klinik Entenstädt")
    assert found(values, text) or values.occur_in(text.encode())
    assert values.occur_in(f"CT of {text}, head".encode())


@pytest.mark.parametrize(("name", "text"), [("Óscar^Zoë", "scar"), ("Müller^Ö", "Miller"), ("Löh^T", "L?h")])
def test_what_is_left_of_a_name_is_long_enough_to_tell(name, text):
    assert not known(name=name).occur_in(text.encode())


@pytest.mark.parametrize("charset", ["cp850", "mac_roman", "cp1252", "utf-16", "utf-16-be"])
def test_names_are_found_in_a_character_set_that_nobody_declares(charset):
    values = KnownValues.of_dataset({CHARSET: b"ISO_IR 100", NAME: "Strauß^Jörg".encode("latin-1")})
    assert values.occur_in("for Strauß".encode(charset))
    assert not values.occur_in("for Strouß".encode(charset))
    assert not values.occur_in("for Jürg".encode("latin-1"))


@pytest.mark.parametrize("charset", ["shift_jis", "euc_jp", "utf-8"])
def test_japanese_names_are_found_in_a_character_set_that_nobody_declares(charset):
    name = b"Yamada^Tarou=" + "山田^太郎".encode("iso2022_jp")
    values = KnownValues.of_dataset({CHARSET: b"\\ISO 2022 IR 87", NAME: name})
    assert values.occur_in("CT 山田".encode(charset))
    assert not values.occur_in("CT 頭部".encode(charset))


def test_a_name_is_found_that_is_garbled_where_it_is_given():
    garbled = "Müller^Jürgen".encode().decode("latin-1")
    assert known(name=garbled).occur_in("CT of Müller".encode())


def test_the_name_that_a_person_goes_by_is_found():
    values = KnownValues.of_dataset({NAME: b"Mustermann^Erika", NAME_TO_USE: b"Severin"})
    assert values.occur_in(b"CT of Severin")


@pytest.mark.parametrize("text", ["a \u0301 Ng", "\u0300", "x \u0345\u0301 y"])
def test_marks_without_a_letter_are_no_words(text):
    values = known(name="Ng^Al")
    assert bool(found(values, text)) is ("Ng" in text)
    assert values.occur_in(text.encode()) is ("Ng" in text)


def test_dates_of_any_kind_are_days():
    for tag, kind in KIND_OF.items():
        if kind in (Kind.DAY, Kind.BIRTH):
            assert DicomDictionary[tag][0] in ("DA", "DT")


def test_people_and_ids_in_sequences_are_found(ct, encode):
    data = ct()
    other, request, physician, code, plain_code = (pydicom.Dataset() for _ in range(5))
    other.PatientID = "OTHER-998877"
    data.OtherPatientIDsSequence = [other]
    request.AccessionNumber = "887766"
    data.RequestAttributesSequence = [request]
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "K4444", "99HIS", "Doktor Seltsam"
    physician.PersonIdentificationCodeSequence = [code]
    physician.InstitutionName = "Klinik Entenhausen"
    data.ReferringPhysicianIdentificationSequence = [physician]
    plain_code.CodeValue, plain_code.CodingSchemeDesignator, plain_code.CodeMeaning = (
        "T-A0100",
        "SRT",
        "Gehirn",
    )
    data.AnatomicRegionSequence = [plain_code]
    place_code = pydicom.Dataset()
    place_code.CodeValue, place_code.CodingSchemeDesignator = "H1", "99HIS"
    place_code.CodeMeaning = "Spital Gansdorf"
    data.InstitutionCodeSequence = [place_code]
    for syntax in ("explicit", "implicit", "big"):
        source = encode(data, syntax)
        meta = read_meta(source)
        elements = naming_in(source, meta.dataset, encoding_of(meta.text(0x00020010)), Bounds())
        values = KnownValues.of_elements(elements)
        for text in (
            b"998877",
            b"other998877",
            b"887766",
            b"K4444",
            b"Seltsam",
            b"Entenhausen",
            b"Gansdorf",
            b"erika",
        ):
            assert values.occur_in(text), text
        for text in (b"T-A0100", b"Gehirn", b"99HIS", b"Spital"):
            assert not values.occur_in(text), text


def test_what_the_policy_keeps_is_not_looked_for():
    top = {NAME: b"Mustermann^Erika", INSTITUTION: b"Springfield"}
    assert KnownValues.of_dataset(top).occur_in(b"Springfield")
    assert not KnownValues.of_dataset(top, kept=[INSTITUTION]).occur_in(b"Springfield")
    assert KnownValues.of_dataset(top, kept=[INSTITUTION]).occur_in(b"Erika")


def test_a_union_knows_both_and_is_remembered():
    own = KnownValues.of_dataset({NAME: b"M\xfcller", CHARSET: b"ISO_IR 100"})
    study = KnownValues.of_dataset({ID: b"4711-4711", BIRTH: b"19700131", CHARSET: UTF8})
    both = own.union(study)
    assert both is own.union(study)
    assert own.union(None) is own
    for text in ("Müller", "47114711", "1970-01-31"):
        assert both.occur_in(text.encode("latin-1"))
    assert both.words == own.words | study.words
    assert both.births == study.births


def test_objects_of_a_series_share_what_is_compiled():
    top = {NAME: b"Mustermann^Erika", ID: b"4711 "}
    assert KnownValues.of_dataset(top) is KnownValues.of_dataset({**top, ID: b"4711"})
    first, second = ({**top, 0x0008002A: b"20240229" + time} for time in (b"101112.5", b"235959"))
    assert KnownValues.of_dataset(first) is KnownValues.of_dataset(second)
    assert KnownValues.of_dataset(first).occur_in(b"29.02.2024")


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        (b"ISO_IR 100", "Müller".encode("latin-1")),
        (UTF8, "Müller".encode()),
        (b"", "Müller".encode()),
        (b"", "Müller".encode("latin-1")),
        (UTF8, "Müller".encode("latin-1")),
    ],
)
def test_bytes_that_are_no_text_of_the_set_are_found_all_the_same(charset, value):
    values = KnownValues.of_dataset({NAME: value, CHARSET: charset})
    assert values.occur_in(value)
    assert values.occur_in(b"Mustermann, " + value)
    assert not values.occur_in(b"Meier")


def test_more_names_than_can_be_looked_for_are_refused():
    names = (Naming(0x0040A730, 0x0040A123, b"Name%d" % number) for number in range(40_000))
    with pytest.raises(Refusal) as refused:
        KnownValues.of_elements(names)
    assert refused.value.reason == "too-many-elements"


@pytest.mark.parametrize(
    "value",
    [
        *(bytes(range(256)) * 250, b"mus " * 16_000, b"M u s t e r " * 5000, b"0-0 " * 16_000),
        *(b"70 " * 20_000, b"1970 " * 12_000, b"30.01.1970 " * 6000, "ü ".encode() * 20_000, b"e" * 65_000),
    ],
)
def test_hostile_values_take_little_time(value):
    values = known(name="Mustermann^Erika", id="PID-0012345", birth="19700131")
    began = time.process_time()
    assert not values.occur_in(value)
    assert time.process_time() - began < 1
