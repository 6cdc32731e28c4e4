-- sdtm.dm: one row per subject, randomised or not; never an arm.
-- Grain:  USUBJID
-- From:   mapped.dm (every layout that maps to dm)
-- Method: RFXSTDT is the first exposure where it is delivered, else the reference start.

select
    dm.STUDYID,
    'DM' as DOMAIN,
    dm.USUBJID,
    dm.SUBJID,
    dm.RFSTDTC,
    dm.RFENDTC,
    dm.RFICDTC,
    try_cast(left(coalesce(dm.RFXSTDTC, dm.RFSTDTC), 10) as date) as RFXSTDT,
    dm.SITEID,
    try_cast(dm.AGE as bigint) as AGE,
    dm.SEX,
    dm.RACE,
    dm.ETHNIC,
    dm.COUNTRY,
    dm.source_file,
    dm.source_line,
    dm.sha256,
    dm.receipt,
    dm.layout
from mapped.dm as dm
