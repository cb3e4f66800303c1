"""A report as one page, to be read by an ethics board and printed: HTML that needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from agents.anonymization.report.style import STYLE
from agents.anonymization.report.types import Attribute, Count, Overview, PolicyPart, Series
from agents.anonymization.report.words import DONE, EXCEPTIONS, RESULTS, limits, reason_in_words


def page(overview: Overview, series: Iterable[Series]) -> Iterator[str]:
    """Yield the page, piece by piece."""
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>De-identification report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
    yield from _files(overview)
    yield from _policy(overview.policy)
    yield "<h2>What people have to judge</h2>\n"
    yield _list(limits(frozenset(one.option for one in overview.policy.options if one.on)))
    yield "<h2>Attributes, in all objects together</h2>\n"
    yield _p(
        f"Of {_n(overview.compared, 'object')}. A number says in how many an attribute was treated so; "
        "without one, in all."
    )
    yield _attributes(overview.attributes, overview.compared)
    yield "<h2>Software</h2>\n"
    yield _table("", ("Name", "Version"), overview.software.items())
    yield "<h2>Series by series</h2>\n"
    yield _p("Patients, studies and series have the names that they have in the output.")
    for one in series:
        yield from _series(one)
    yield "</main>\n</body>\n</html>\n"


def _files(overview: Overview) -> Iterator[str]:
    policy = overview.policy
    yield "<h1>De-identification report</h1>\n"
    yield _p(
        f"Of {_n(sum(overview.files.values()), 'file')}, {_n(overview.files.get('anonymized', 0), 'object')} "
        f"came out anonymized under the policy {policy.name}, version {policy.version}. All that was read "
        f"belongs to {_n(overview.patients, 'patient')}, {_n(overview.studies, 'study')} and "
        f"{_n(overview.series, 'series')}. Date of this report: {overview.made}."
    )
    yield _p(
        "It counts, and repeats no value of any object. What it says of attributes was found by laying "
        f"outputs beside their originals, which was done for {_n(overview.compared, 'object')}."
    )
    results = [
        (words, overview.files[result]) for result, words in RESULTS.items() if result in overview.files
    ]
    yield _numbers("What became of the files", ("Result", "Files"), results)
    if overview.reasons:
        yield _numbers("Why files did not come out", ("Reason", "Files"), _counted(overview.reasons))
    if overview.pixels_changed:
        yield _p(f"In {_n(overview.pixels_changed, 'object')} the pixels themselves were changed.")
    if overview.tools:
        yield _numbers("What decided beside the policy", ("Tool", "Objects"), _counted(overview.tools))


def _policy(policy: PolicyPart) -> Iterator[str]:
    yield f"<h2>The policy: {escape(policy.name)}, version {policy.version}</h2>\n"
    if policy.description:
        yield _p(policy.description)
    yield _p(policy.profile)
    yield f"<p>Its label, which stands in every output: <code>{escape(policy.label)}</code></p>\n"
    yield _table(
        "Options (DICOM PS3.15, E.3)",
        ("Option", "", "What it does"),
        ((one.title, "on" if one.on else "off", one.says) for one in policy.options),
    )
    if policy.exceptions:
        yield _table(
            "Exceptions",
            ("Attribute", "What is done to it", "Why"),
            ((one.attribute, EXCEPTIONS[one.action], one.why) for one in policy.exceptions),
        )
    if policy.more:
        yield _list(policy.more)


def _series(series: Series) -> Iterator[str]:
    objects = _n(series.objects, "object")
    yield f"<h3>{escape(series.modality)}: {objects}, {series.anonymized:,} came out</h3>\n"
    yield (
        f"<p>Patient <code>{escape(series.patient)}</code><br>Study <code>{escape(series.study)}</code><br>"
        f"Series <code>{escape(series.series)}</code></p>\n"
    )
    facts = []
    if series.duplicates:
        facts.append(f"{_n(series.duplicates, 'file')} had the same object as another file.")
    facts += [f"{one.number:,} kept back: {one.words}" for one in series.quarantined]
    if series.failed:
        facts.append(f"{_n(series.failed, 'file')} could not be read or written, and are not accounted for.")
    if series.pixels_changed:
        facts.append(f"In {_n(series.pixels_changed, 'object')} the pixels themselves were changed.")
    facts += [f"{one.words}: {_n(one.number, 'object')}." for one in series.tools]
    if series.compared != series.anonymized:
        facts.append(f"Only {_n(series.compared, 'object')} could be compared with their originals.")
    if facts:
        yield _list(facts)
    if series.attributes:
        yield _attributes(series.attributes, series.compared)


def _attributes(attributes: Iterable[Attribute], of: int) -> str:
    head = '<th class="why" scope="col">Why</th><th scope="col">Attributes</th>'
    parts = [f"<table>\n<thead><tr>{head}</tr></thead>\n"]
    for done, rows in groupby(attributes, lambda one: one.done):
        title, says = DONE[done]
        treated = list(rows)
        number = _n(len({one.attribute for one in treated}), "attribute")
        parts.append(
            f'<tbody>\n<tr><th colspan="2" scope="rowgroup">{escape(title)}: {number}. '
            f"<small>{escape(says)}</small></th></tr>\n"
        )
        for reason, some in groupby(treated, lambda one: one.reason):
            names = ", ".join(
                one.name if one.objects == of else f"{one.name} ({one.objects:,})" for one in some
            )
            parts.append(
                f"<tr><td>{escape(reason_in_words(reason, done))}</td><td>{escape(names)}</td></tr>\n"
            )
        parts.append("</tbody>\n")
    return "".join((*parts, "</table>\n"))


def _counted(counts: Iterable[Count]) -> list[tuple[str, int]]:
    return [(one.words, one.number) for one in counts]


def _numbers(caption: str, heads: tuple[str, str], rows: Iterable[tuple[str, int]]) -> str:
    body = "".join(
        f'<tr><td>{escape(words)}</td><td class="number">{number:,}</td></tr>\n' for words, number in rows
    )
    return (
        f'<table>\n<caption>{escape(caption)}</caption>\n<thead><tr><th scope="col">{heads[0]}</th>'
        f'<th class="number" scope="col">{heads[1]}</th></tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n'
    )


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    above = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    return f"<table>\n{above}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def _list(items: Iterable[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{escape(one)}</li>\n" for one in items) + "</ul>\n"


def _p(text: str) -> str:
    return f"<p>{escape(text)}</p>\n"


def _n(number: int, noun: str) -> str:
    if number == 1 or noun == "series":
        return f"{number:,} {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
