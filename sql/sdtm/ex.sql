-- sdtm.ex: one row per subject and exposure record.
-- Grain:  USUBJID, EXSEQ
-- From:   mapped.ex (every layout that maps to ex)
-- Method: as delivered.

select
    ex.STUDYID,
    'EX' as DOMAIN,
    ex.USUBJID,
    try_cast(ex.EXSEQ as bigint) as EXSEQ,
    ex.EXTRT,
    try_cast(ex.EXDOSE as double) as EXDOSE,
    ex.EXDOSU,
    ex.EXDOSFRQ,
    ex.EXSTDTC,
    ex.EXENDTC,
    ex.EXADJ,
    ex.source_file,
    ex.source_line,
    ex.sha256,
    ex.receipt,
    ex.layout
from mapped.ex as ex
