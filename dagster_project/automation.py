"""When an asset is made again without being asked: when the content of a parent has changed."""

import dagster as dg

_C = dg.AutomationCondition


def _settled() -> dg.AutomationCondition:
    moving = _C.in_progress() | _C.will_be_requested()
    return ~_C.any_deps_match(moving) & ~_C.in_progress()


def on_changed_content() -> dg.AutomationCondition:
    """Request once some parent's content hash differs; the same content again requests nothing.

    Waits until no parent is being made or about to be, so that a change that comes by two ways
    is taken once.
    """
    content: dg.AutomationCondition = _C.any_deps_match(_C.data_version_changed())
    changed: dg.AutomationCondition = content | _C.code_version_changed()
    condition = (
        changed.since_last_handled()
        & _settled()
        & ~_C.any_deps_missing()
        & _C.all_deps_blocking_checks_passed()
    )
    return condition.with_label("content of a parent changed")


def on_delivery() -> dg.AutomationCondition:
    """Request once a delivery of a parent layout was taken in, whatever became of it."""
    arrived: dg.AutomationCondition = _C.any_deps_updated()
    condition = arrived.since_last_handled() & _settled()
    return condition.with_label("a delivery was taken in")
