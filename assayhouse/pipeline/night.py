"""One night without an orchestrator: receive, ingest, rebuild what changed, publish, report."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline import delivery
from assayhouse.pipeline.publication import Published, publish
from assayhouse.pipeline.relations import build_relation, derived, is_current
from assayhouse.report.morning import Morning, render_morning
from assayhouse.warehouse.home import Home, atomic_write
from assayhouse.warehouse.lake import Lake

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NightResult:
    """What one night did."""

    outcomes: tuple[delivery.Outcome, ...]
    built: tuple[str, ...]
    published: Published


def _silent(_step: str, _done: int, _total: int) -> None:
    return


def run_night(
    home: Home,
    declarations: Declarations,
    *,
    at: str,
    who: str,
    progress: Progress | None = None,
) -> NightResult:
    """Carry everything that has arrived to a publication.

    Running it again with nothing new changes no table and makes no publication.

    Parameters
    ----------
    home : Home
        Where everything is kept.
    declarations : Declarations
        The study.
    at : str
        Time of the night, ISO 8601 with zone.
    who : str
        Person or process, for the audit chain.
    progress : callable or None
        Called with step, number done and total.
    """
    tell = progress or _silent
    delivery.scan(home, declarations, at=at, who=who)
    waiting = delivery.pending(home, declarations)
    outcomes = []
    for done, receipt in enumerate(waiting):
        tell(f"intake {receipt.layout}", done, len(waiting))
        outcomes.append(delivery.ingest(home, declarations, receipt.number, at=at, who=who))
    built = refresh(home, declarations, progress=tell)
    if not outcomes and not built:
        delivery.note_no_news(home, at=at, who=who)
    tell("publication", 0, 1)
    published = publish(home, declarations, at=at, who=who, reason="night")
    if outcomes:
        write_morning(home, declarations, at=at)
    return NightResult(outcomes=tuple(outcomes), built=built, published=published)


def refresh(
    home: Home, declarations: Declarations, *, progress: Progress | None = None
) -> tuple[str, ...]:
    """Build every relation that is out of date; returns those that were built."""
    tell = progress or _silent
    built: list[str] = []
    lake, visible = Lake(home, declarations), delivery.visible_receipts(home)
    relations = derived(declarations)
    # A rebuilt parent may keep its content: what stands on it is then still current.
    for done, relation in enumerate(relations):
        if not is_current(lake, declarations, relation, visible=visible):
            tell(f"build {relation}", done, len(relations))
            build_relation(home, declarations, relation)
            built.append(relation)
    return tuple(built)


def morning_page(home: Home, declarations: Declarations, *, at: str) -> Morning:
    """Render the page of the deliveries received on the date of ``at``."""
    lake = Lake(home, declarations)
    night = at[:10]
    receipts = lake.scan("intake.receipts").collect()
    tonight = receipts.filter(pl.col("received_at").str.starts_with(night))
    mine = pl.col("receipt").is_in(tonight["receipt"].to_list())
    expected = pl.DataFrame(
        {
            "vendor": [spec.vendor for spec in declarations.layouts.values()],
            "layout": list(declarations.layouts),
            "due": [None] * len(declarations.layouts),
        },
        schema={"vendor": pl.String, "layout": pl.String, "due": pl.String},
    )
    return render_morning(
        tonight,
        lake.scan("intake.states").collect().filter(mine),
        lake.scan("intake.line_accounts").collect().filter(mine),
        lake.scan("intake.findings").collect().filter(mine),
        study=declarations.study.study_id,
        synthetic=declarations.study.synthetic,
        expected=expected,
        night=night,
    )


def write_morning(home: Home, declarations: Declarations, *, at: str) -> None:
    """Write the morning page and its CSV twin below the reports."""
    page = morning_page(home, declarations, at=at)
    folder = home.reports("open") / "mornings"
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / f"{at[:10]}.html", page.html)
    atomic_write(folder / f"{at[:10]}.csv", page.csv)
