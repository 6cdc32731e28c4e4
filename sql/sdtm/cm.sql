-- sdtm.cm: one row per subject and concomitant medication.
-- Grain:  USUBJID, CMSEQ
-- From:   mapped.cm (every layout that maps to cm)
-- Method: as delivered.

select
    cm.STUDYID,
    'CM' as DOMAIN,
    cm.USUBJID,
    try_cast(cm.CMSEQ as bigint) as CMSEQ,
    cm.CMTRT,
    cm.CMCLAS,
    try_cast(cm.CMDOSE as double) as CMDOSE,
    cm.CMDOSU,
    cm.CMDOSFRQ,
    cm.CMSTDTC,
    cm.CMENDTC,
    cm.source_file,
    cm.source_line,
    cm.sha256,
    cm.receipt,
    cm.layout
from mapped.cm as cm
