-- sdtm.be: one row per vendor and specimen that a laboratory has reported on.
-- Grain:  vendor, BEREFID
-- From:   mapped.specimen (every layout whose rows name a specimen)
-- Method: of several rows of a specimen the first in the order of file and line stands for it.

select
    specimen.STUDYID,
    'BE' as DOMAIN,
    specimen.USUBJID,
    specimen.VENDOR as vendor,
    specimen.REFID as BEREFID,
    specimen.VISIT,
    specimen.SPEC as BESPEC,
    specimen.DTC as BEDTC,
    specimen.RECDTC as received_dtc,
    specimen.source_file,
    specimen.source_line,
    specimen.sha256,
    specimen.receipt,
    specimen.layout
from mapped.specimen as specimen
where specimen.REFID is not null
qualify row_number() over (
    partition by specimen.VENDOR, specimen.REFID
    order by specimen.receipt, specimen.layout, specimen.source_file, specimen.source_line
) = 1
