"""What is unusual as a page of sentences, and as rows for other programs."""

from __future__ import annotations

import csv
import io

import msgspec

from loket.domain.policy import UnitPolicy
from loket_consumers.reports.files import inert
from loket_consumers.reports.grids import Page
from loket_consumers.reports.unusual import Finding, UnusualReport
from loket_consumers.reports.words import Words

__all__ = ["unusual_page", "unusual_to_csv", "unusual_to_json"]


def unusual_page(report: UnusualReport, policy: UnitPolicy, words: Words) -> Page:
    """A sentence for each finding, what was looked at, and that it proves nothing."""
    days = words("any_day", first=report.first, last=report.last) if report.first != report.last else report.first
    unit = getattr(policy.names, words.language) or report.unit
    page = Page(words("unusual", unit=unit, days=days))
    page.sentences = [_sentence(finding, policy, words) for finding in report.findings] or [words("unusual_nothing")]
    looked_at = {name: words.number(getattr(report, name)) for name in ("calls", "services", "works")}
    page.notes.append(words("unusual_looked", now=report.now, **looked_at))
    page.notes.append(words("unusual_no_proof"))
    return page


def _sentence(finding: Finding, policy: UnitPolicy, words: Words) -> str:
    known = policy.services.get(finding.service or "")
    name = finding.service if known is None else getattr(known.names, words.language) or finding.service
    duration = words.duration(finding.seconds)
    return words(
        f"unusual_{finding.kind}",
        service=name,
        who=finding.employee or words("unusual_somebody"),
        cases=words.number(finding.cases),
        of=words.number(finding.of or 0),
        expected=words.share(finding.expected, 0),
        hours=finding.hours,
        of_hours=finding.of_hours,
        limit=duration,
        time=duration,
        counters=", ".join(finding.counters),
    )


def unusual_to_json(report: UnusualReport) -> bytes:
    """The report as one JSON object, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def unusual_to_csv(report: UnusualReport) -> bytes:
    """A row for each finding, in UTF-8 with CRLF; counters with spaces between them."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    names = Finding.__struct_fields__
    writer.writerow(["unit", "from", "to", *names])
    for finding in report.findings:
        told = [getattr(finding, name) for name in names[:-1]]
        row = [report.unit, report.first, report.last, *told, " ".join(finding.counters)]
        writer.writerow([inert(value) for value in row])
    return lines.getvalue().encode()
