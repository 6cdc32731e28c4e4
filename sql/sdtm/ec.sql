-- sdtm.ec: one row per subject and entry of the dosing diary.
-- Grain:  USUBJID, ECSEQ
-- From:   mapped.ec (every layout that maps to ec)
-- Method: as delivered.

select
    ec.STUDYID,
    'EC' as DOMAIN,
    ec.USUBJID,
    try_cast(ec.ECSEQ as bigint) as ECSEQ,
    ec.ECDTC,
    ec.ECOCCUR,
    ec.source_file,
    ec.source_line,
    ec.sha256,
    ec.receipt,
    ec.layout
from mapped.ec as ec
