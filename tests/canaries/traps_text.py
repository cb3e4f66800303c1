"""Traps made of text that is kept: names, ids and dates of the object in any spelling and character set."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.oracle import SPEAKING, TYPED
from tests.canaries.traps import Setting, Trap, say, setting, trap

SPELLINGS = {
    **{
        f"sentence {number}": lambda person, number=number: person.sentences()[number]
        for number in range(len(setting().person.sentences()))
    },
    "joined": lambda person: f"{person.family}{person.given}",
    "joined with digits": lambda person: f"{person.family}2024",
    "digits around": lambda person: f"0{person.patient_id}7",
    "spaced": lambda person: " ".join(person.family),
    "dotted": lambda person: ".".join(person.family),
    "possessive": lambda person: f"{person.family}'s head",
    "id in groups": lambda person: (
        f"{person.patient_id[:2]} {person.patient_id[2:6]} {person.patient_id[6:]}"
    ),
    "id with hyphen": lambda person: f"{person.patient_id[:2]}-{person.patient_id[2:]}",
    "id without letters": lambda person: person.patient_id[2:],
    "short year": lambda person: f"{person.born:%d.%m.%y}",
    "no leading zeros": lambda person: f"{person.born.day}.{person.born.month}.{person.born.year}",
    "slashes": lambda person: f"{person.born:%Y/%m/%d}",
    "compact": lambda person: f"{person.born:%d%m%Y}",
    "study date": lambda person: f"taken {person.seen:%d-%m-%Y}",
    "base64": lambda person: base64.b64encode(f"{person.given} {person.family}".encode()).decode(),
    "base64 of UTF-16": lambda person: base64.b64encode(person.family.encode("utf-16-le")).decode(),
    "base64 twice": lambda person: base64.b64encode(base64.b64encode(person.family.encode())).decode(),
    "escaped twice": lambda person: f"%25{ord(person.family[0]):02x}{person.family[1:]}",
    "UTF-7": lambda person: f"+{base64.b64encode(person.family.encode('utf-16-be')).decode().rstrip('=')}-",
    "numbers of characters": lambda person: ",".join(str(ord(letter)) for letter in person.family),
    "phone in one": lambda person: person.phone.replace(" ", ""),
    "department": lambda person: person.department,
    "city": lambda person: person.city,
    "issuer": lambda person: person.issuer,
}


def _spelled(name: str) -> Trap:
    made = setting()
    text = SPELLINGS[name](made.person)[:64]
    say(made.data, text)
    made_trap = made.trap(text=text)
    return made_trap._replace(keepers={"text": KEPT[name]}) if name in KEPT else made_trap


KEPT = {
    "sentence 15": "retain_institution_identity",
    "department": "retain_institution_identity",
    "study date": "retain_longitudinal_full_dates",
}
"""Spellings of what an option lets out."""

for _name in SPELLINGS:
    trap(f"text: {_name}")(lambda name=_name: _spelled(name))


@trap("text: split over values")
def split() -> Trap:
    made = setting()
    say(made.data, [made.person.given, made.person.family, f"{made.person.born:%Y}"])
    return made.trap()


def _garbled(name: str, change: Callable[[str], bytes]) -> None:
    def make() -> Trap:
        made = setting(family="Xöbrünalta")
        made.data.SpecificCharacterSet = "ISO_IR 100"
        text = change(made.person.family)
        for tag in (0x00080070, 0x00283010, 0x00181250, 0x0008103E):
            made.data.add_new(tag, "LO", "x")
            made.data[tag]._value = b"for " + text
        return made.trap(garbled=text.decode("latin-1"))

    trap(f"text: garbled, {name}")(make)


_garbled("lost letters", lambda family: family.encode("ascii", "replace"))
_garbled("UTF-8 twice", lambda family: family.encode().decode("latin-1").encode())
_garbled("a code page", lambda family: family.encode("cp850"))
_garbled("UTF-16", lambda family: family.encode("utf-16"))


@trap("text: UIDs of few numbers")
def few_arcs() -> Trap:
    made = setting()
    uuid, stamp = f"2.25.{made.words.digits(38)}", f"1.2.276.{made.words.digits(14)}"
    made.data.FrameOfReferenceUID, made.data.SynchronizationFrameOfReferenceUID = uuid, stamp
    say(made.data, [f"of {uuid}", stamp])
    made.data.SequenceName, made.data.ConvolutionKernel = stamp[:16], uuid
    made_trap = made.trap(uuid=uuid, stamp=stamp)
    return made_trap._replace(keepers=dict.fromkeys(("uuid", "stamp"), "retain_uids"))


@trap("text: a code string repeats the name")
def code_string() -> Trap:
    made = setting()
    made.data.add_new(0x00185100, "CS", made.person.family.upper()[:16])
    made.data.add_new(0x00181181, "CS", made.person.given.upper())
    return made.trap()


def _short(name: str, **changes: str) -> None:
    def make() -> Trap:
        made = setting(**changes)
        say(made.data, f"for {' '.join(changes.values())}, left")
        # Words this short are looked for with what stands around them
        return made.trap(short=f"for{''.join(changes.values())}left")

    trap(f"text: short {name}")(make)


_short("family name", family="Ng")
_short("names", family="Kim", given="Li")
_short("patient id", patient_id="4711")
_short("patient id of digits", patient_id="123")
_short("accession number", accession="A12")


def _numbers(name: str, patient_id: str) -> None:
    def make() -> Trap:
        made = setting(patient_id=patient_id)
        made.data.SeriesNumber = patient_id
        made.data.AcquisitionNumber = patient_id
        made.data.KVP = patient_id
        made.data.add_new(0x00189073, "FD", float(patient_id))
        return made.trap()

    trap(f"text: {name}")(make)


_numbers("a patient id as a number", "730154921")


@trap("text: the date of birth as a number")
def birth_number() -> Trap:
    made = setting()
    made.data.SeriesNumber = f"{made.person.born:%Y%m%d}"
    made.data.KVP = f"{made.person.born:%d%m%Y}"
    return made.trap()


@trap("text: unlisted attributes that identify")
def speaking() -> Trap:
    made = setting()
    words = {}
    for tag in sorted(SPEAKING | TYPED):
        words[f"{tag:08x}"] = made.words.word()
        vr = pydicom.datadict.dictionary_VR(tag)
        made.data.add_new(tag, vr, words[f"{tag:08x}"])
    keepers = {f"{tag:08x}": "clean_descriptors" for tag in TYPED}
    return made.trap(**words)._replace(keepers=keepers)


@trap("text: names that are known only inside of sequences")
def known_inside() -> Trap:
    made = setting()
    other = Dataset()
    other.PatientID, other.PatientName = f"Q{made.words.digits(8)}", made.words.word()
    made.data.OtherPatientIDsSequence = Sequence([other])
    request = Dataset()
    request.RequestedProcedureID, request.AccessionNumber = (
        f"R{made.words.digits(8)}",
        f"B{made.words.digits(8)}",
    )
    request.RequestingPhysician = made.words.word()
    made.data.RequestAttributesSequence = Sequence([request])
    inside = {
        "other id": other.PatientID,
        "other name": str(other.PatientName),
        "procedure": request.RequestedProcedureID,
        "accession": request.AccessionNumber,
        "requesting": str(request.RequestingPhysician),
    }
    say(made.data, list(inside.values()))
    made.data.SequenceName = other.PatientID
    made.data.ConvolutionKernel = str(other.PatientName)
    return made.trap(**inside)


@trap("text: more names of the patient")
def more_names() -> Trap:
    made = setting()
    said = {name: made.words.word() for name in ("mother", "birth", "other", "responsible", "insurance")}
    made.data.PatientMotherBirthName = said["mother"]
    made.data.PatientBirthName = said["birth"]
    made.data.OtherPatientNames = said["other"]
    made.data.ResponsiblePerson = said["responsible"]
    made.data.MedicalRecordLocator = said["insurance"]
    for at, word in enumerate(said.values()):
        made.data.add_new(
            (0x00181400 + 1, 0x00181250, 0x00181251, 0x00181261, 0x00181260, 0x00181210)[at], "LO", word
        )
    return made.trap(**said)


@trap("text: uids in text")
def uid_in_text() -> Trap:
    made = setting()
    say(made.data, f"copy of {made.data.StudyInstanceUID}")
    return made.trap(uid=made.data.StudyInstanceUID)._replace(keepers={"uid": "retain_uids"})


LETTERS = {
    "latin-1": ("ISO_IR 100", "äöüßéèñåç"),
    "utf-8": ("ISO_IR 192", "äöüßéèñåçłő"),
    "utf-8 far east": ("ISO_IR 192", "山川田中村井藤木林松"),
    "cyrillic": ("ISO_IR 144", "бгджзлпфцчшщыэюя"),
    "greek": ("ISO_IR 126", "βγδζθλξπσφχψω"),
    "japanese": ("\\ISO 2022 IR 87", "山川田中村井藤木林松"),
    "korean": ("\\ISO 2022 IR 149", "김이박최정강조윤장임"),
    "gb18030": ("GB18030", "王李张刘陈杨赵黄周吴"),
}


def _foreign(name: str, charset: str, letters: str) -> None:
    def make() -> Trap:
        made = setting()
        family = "".join(made.words._random.choices(letters, k=8))
        person = made.person._replace(family=family)
        made.data.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
        alphabetic = made.words.word()
        made.data.PatientName = f"{alphabetic}^{person.given}={family}^{family[:2]}"
        say(made.data, f"von {family} ,")
        return Setting(made.words, person, made.data).trap(family=family, alphabetic=alphabetic)

    trap(f"charset: {name}")(make)


for _name, (_charset, _letters) in LETTERS.items():
    _foreign(_name, _charset, _letters)


@trap("charset: another one inside of an item")
def other_inside() -> Trap:
    made = setting()
    family = "Xörbügälß"
    made.data.PatientName = family
    say(made.data, "Maker")
    inner = made.data.AnatomicRegionSequence[0]
    inner.SpecificCharacterSet = "ISO_IR 192"
    inner.CodeMeaning = f"von {family}"
    return Setting(made.words, made.person._replace(family=family), made.data).trap()


@trap("charset: a name without its accents")
def without_accents() -> Trap:
    made = setting()
    made.data.PatientName = "Xörbügälß"
    say(made.data, "von XOERBUEGAELSS, Xorbugals")
    return made.trap(german="Xoerbuegaelss", plain="Xorbugals")


@trap("charset: an unaccented text, and accents in the name of its study")
def decomposed() -> Trap:
    made = setting()
    made.data.SpecificCharacterSet = "ISO_IR 192"
    made.data.PatientName = "Xörbügäl"
    say(made.data, "von Xo\u0308rbu\u0308ga\u0308l,")
    return made.trap(name="Xo\u0308rbu\u0308ga\u0308l")
