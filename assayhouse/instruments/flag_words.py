"""What each flag of an instrument file means, in one sentence for a person."""

from collections.abc import Mapping

FLAG_WORDS: Mapping[str, str] = {
    "damaged": "parts of the file contradict each other",
    "data_truncated": "the events end before the file says they do",
    "duplicate_channel_names": "channels share a name; the later ones have a suffix",
    "empty_file": "there are no data in the file",
    "expired_reagent": "a reagent was used after its expiry date",
    "implausible_cq": "a Cq of 3 or less, which no reaction gives",
    "low_signal": "the ladder is weak",
    "masked_bits": "numbers held bits above the declared range; they were masked",
    "multiple_data_sets": "the file holds several data sets; say which one",
    "no_ladder": "the file does not name its size ladder",
    "not_a_fragment_run": "a sequencing trace, not a fragment run",
    "not_fcs": "the content is no FCS file",
    "off_scale": "the detector was saturated in places; restored where the file allows it",
    "offset_discrepancy": "two places of the file disagree where the events are",
    "offset_off_by_one": "the declared end of the events is one byte off",
    "pne_zero_offset": "a logarithmic channel declares the offset 0; it was read as 1",
    "sizing_failed": "the ladder could not be matched; there are no sizes",
    "text_conversion_damage": "a program took the file for text and destroyed its numbers",
    "too_large": "more than the limit, packed or declared",
    "tot_mismatch": "the number of events does not fit their bytes",
    "truncated": "the file ends before it should",
    "unsafe_xml": "the XML declares a DTD or an entity, which no instrument needs",
    "unsupported_feature": "the file uses something that is not read",
    "unsupported_version": "the file is of a version that is not read",
    "zero_events": "no events were recorded",
}
