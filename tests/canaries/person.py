"""A made-up patient, with all that an object says of one: each value is unique, and known to the search."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from pydicom.dataset import Dataset

from tests.canaries.words import Words

KEEPERS = {
    "institution": "retain_institution_identity",
    "department": "retain_institution_identity",
    "hospital_street": "retain_institution_identity",
    "seen": "retain_longitudinal_full_dates",
}
"""What of a person an option lets out; everything else goes by any policy."""


class Person(NamedTuple):
    """Who an object is about."""

    family: str
    given: str
    patient_id: str
    issuer: str
    born: date
    accession: str
    study_id: str
    physician: str
    performer: str
    operator: str
    institution: str
    department: str
    hospital_street: str
    street: str
    city: str
    phone: str
    mail: str
    seen: date

    @property
    def name(self) -> str:
        return f"{self.family}^{self.given}"

    def sentences(self) -> list[str]:
        """Give texts as people write them, each with something that identifies, spelled in some way."""
        family, given = self.family, self.given
        return [
            f"Pat. {family}",
            f"{given} {family}",
            f"{family.upper()}, {given.upper()}",
            f"{family.lower()}_{given.lower()}",
            f"geb. {self.born:%d.%m.%Y}",
            f"*{self.born:%Y-%m-%d}",
            f"DOB {self.born:%m/%d/%Y}",
            f"born {self.born.day} {self.born:%b} {self.born.year}",
            f"born {self.born:%B} {self.born.day}, {self.born.year}",
            f"ID {self.patient_id}",
            f"#{self.patient_id.lower()}.",
            f"acc={self.accession}",
            f"({self.study_id})",
            f"cc Dr. {self.physician}",
            f"{self.performer}/{self.operator}",
            f"at {self.institution}",
            f"lives {self.street}",
            f"tel. {self.phone}",
            self.mail,
        ]

    def describe(self, data: Dataset) -> Dataset:
        """Write the person into the identifying attributes of a data set."""
        data.AccessionNumber = self.accession
        data.ReferringPhysicianName = self.physician
        data.InstitutionName = self.institution
        data.InstitutionAddress = self.hospital_street
        data.InstitutionalDepartmentName = self.department
        data.PerformingPhysicianName = self.performer
        data.OperatorsName = self.operator
        data.PatientName = self.name
        data.PatientID = self.patient_id
        data.IssuerOfPatientID = self.issuer
        data.PatientBirthDate = f"{self.born:%Y%m%d}"
        data.PatientAddress = f"{self.street}, {self.city}"
        data.PatientTelephoneNumbers = self.phone
        data.PatientTelecomInformation = self.mail
        data.StudyID = self.study_id
        data.StudyDate = f"{self.seen:%Y%m%d}"
        return data


def make_person(words: Words) -> Person:
    """Make somebody up."""
    family, given = words.word(), words.word(6)
    return Person(
        family=family,
        given=given,
        patient_id=f"PX{words.digits(8)}",
        issuer=words.word(),
        born=words.day(),
        accession=f"A{words.digits(9)}",
        study_id=f"S{words.digits(9)}",
        physician=words.word(),
        performer=words.word(),
        operator=words.word(),
        institution=words.word(),
        department=words.word(),
        hospital_street=words.word(),
        street=words.word(),
        city=words.word(),
        phone=f"+49 761 {words.digits(8)}",
        mail=f"{given}.{family}@{words.word()}.example".lower(),
        seen=words.day(),
    )
