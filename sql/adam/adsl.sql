-- adam.adsl: one row per subject, with planned treatment and the dates of treatment.
-- Grain:  USUBJID
-- From:   sdtm.dm, sdtm.ex (dates of treatment), ref.arms, mapped.assignment, mapped.strata
-- Method: docs/methods/analysis-datasets.md

with exposure as (
    select
        ex.USUBJID,
        min(try_cast(left(ex.EXSTDTC, 10) as date)) as first_dose,
        max(try_cast(left(ex.EXENDTC, 10) as date)) as last_dose
    from sdtm.ex as ex
    group by ex.USUBJID
),

assigned as (
    select
        assignment.USUBJID,
        assignment.ARMCD,
        try_cast(left(assignment.RANDDTC, 10) as date) as RANDDT
    from mapped.assignment as assignment
),

strata as (
    select
        strata.USUBJID,
        strata.STRATA1,
        strata.STRATA2,
        strata.STRATA3
    from mapped.strata as strata
)

select
    dm.STUDYID,
    dm.USUBJID,
    dm.SUBJID,
    dm.SITEID,
    dm.COUNTRY,
    dm.AGE,
    dm.SEX,
    dm.RACE,
    assigned.ARMCD,
    arms.ARM,
    arms.ARM as TRT01P,
    arms.arm_order as TRT01PN,
    assigned.RANDDT,
    coalesce(exposure.first_dose, dm.RFXSTDT) as TRTSDT,
    coalesce(exposure.last_dose, try_cast(left(dm.RFENDTC, 10) as date)) as TRTEDT,
    case when assigned.ARMCD is not null then 'Y' else 'N' end as RANDFL,
    case
        when assigned.ARMCD is not null and coalesce(exposure.first_dose, dm.RFXSTDT) is not null
            then 'Y'
        else 'N'
    end as SAFFL,
    strata.STRATA1,
    strata.STRATA2,
    strata.STRATA3
from sdtm.dm as dm
left join exposure on dm.USUBJID = exposure.USUBJID
left join assigned on dm.USUBJID = assigned.USUBJID
left join ref.arms as arms on assigned.ARMCD = arms.ARMCD
left join strata on dm.USUBJID = strata.USUBJID
