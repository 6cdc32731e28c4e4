"""Partitions: one per delivery of a layout, added when the delivery arrives."""

from functools import cache

import dagster as dg

from assayhouse.contracts.declarations import Declarations


def asset_name(layout: str) -> str:
    """Name of a layout in asset keys, for example ``<vendor>_<layout>``."""
    return layout.replace(".", "_")


@cache
def deliveries(layout: str) -> dg.DynamicPartitionsDefinition:
    """Partitions of one layout; each key is the delivery's arrival number and hash."""
    return dg.DynamicPartitionsDefinition(name=f"{asset_name(layout)}_deliveries")


def intake_key(layout: str) -> dg.AssetKey:
    """Asset that takes in the deliveries of a layout."""
    return dg.AssetKey(["intake", asset_name(layout)])


def layout_keys(declarations: Declarations) -> dict[str, dg.AssetKey]:
    """Intake asset of every layout, in the order in which they are taken in."""
    return {layout: intake_key(layout) for layout in declarations.layout_order()}
