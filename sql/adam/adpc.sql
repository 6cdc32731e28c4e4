-- adam.adpc: one row per subject and concentration, with dose in force and time since dosing.
-- Grain:  USUBJID, PCSEQ
-- From:   sdtm.pc, sdtm.ec (diary), sdtm.ex (dose in force), sdtm.dm (first dose),
--         ref.visit_windows, ref.parameters, ref.study
-- Method: docs/methods/pharmacokinetics.md

with samples as (
    select
        pc.*,
        try_cast(pc.PCDTC as timestamp) as taken
    from sdtm.pc as pc
),

doses as (
    select
        ec.USUBJID,
        try_cast(ec.ECDTC as timestamp) as given
    from sdtm.ec as ec
    where ec.ECOCCUR = 'Y' and try_cast(ec.ECDTC as timestamp) is not null
),

timed as (
    select
        samples.USUBJID,
        samples.PCSEQ,
        max(case when doses.given <= samples.taken then doses.given end) as former,
        max(
            case
                when
                    doses.given <= samples.taken
                    and doses.given::date = samples.taken::date
                    then 1
                else 0
            end
        ) = 1 as after_dose
    from samples
    left join doses on samples.USUBJID = doses.USUBJID
    group by samples.USUBJID, samples.PCSEQ
),

in_force as (
    select
        samples.USUBJID,
        samples.PCSEQ,
        max(ex.EXDOSE) as dose
    from samples
    inner join sdtm.ex as ex
        on
            samples.USUBJID = ex.USUBJID
            and left(samples.PCDTC, 10) >= left(ex.EXSTDTC, 10)
            and left(samples.PCDTC, 10) <= coalesce(left(ex.EXENDTC, 10), '9999')
    group by samples.USUBJID, samples.PCSEQ
),

judged as (
    select
        samples.*,
        parameters.PARAM,
        parameters.unit,
        in_force.dose,
        timed.after_dose,
        study.visit_rule,
        -- CDISC study day has no day 0: the first dose falls on day 1.
        samples.taken::date - dm.RFXSTDT
        + case when samples.taken::date >= dm.RFXSTDT then 1 else 0 end as ADY,
        date_diff('minute', timed.former, samples.taken) / 60.0 as hours,
        case
            when samples.PCSTAT is not null then 'not done'
            when samples.PCSTRESN is null and samples.value_operator <> '<' then 'no value'
            when timed.former is null then 'no dose in the diary'
            when timed.after_dose then 'taken after the dose of the day'
            when
                date_diff('minute', timed.former, samples.taken) / 60.0 > study.predose_max_hours
                then 'too long after the former dose'
        end as reasons
    from samples
    left join timed on samples.USUBJID = timed.USUBJID and samples.PCSEQ = timed.PCSEQ
    left join in_force on samples.USUBJID = in_force.USUBJID and samples.PCSEQ = in_force.PCSEQ
    left join ref.parameters as parameters on samples.PCTESTCD = parameters.PARAMCD
    left join sdtm.dm as dm on samples.USUBJID = dm.USUBJID
    cross join ref.study as study
)

select
    judged.STUDYID,
    judged.USUBJID,
    judged.PCSEQ,
    judged.PCTESTCD as PARAMCD,
    judged.PARAM,
    visits.AVISITN,
    case
        when judged.visit_rule = 'window' then visits.AVISIT
        else coalesce(visits.AVISIT, judged.VISIT)
    end as AVISIT,
    judged.PCDTC,
    judged.PCSTRESN as AVAL,
    judged.PCSTRESC as AVALC,
    case when judged.value_operator = '<' then 'Y' else 'N' end as blq_fl,
    judged.PCLLOQ as lloq,
    judged.unit,
    judged.dose as nominal_dose_mg,
    judged.hours as hours_since_dose,
    case
        when judged.hours is null then null
        when judged.after_dose then 'N'
        else 'Y'
    end as predose_fl,
    case when judged.reasons is null then 'Y' end as ANL01FL,
    judged.reasons,
    judged.PCREFID as SPECREF,
    judged.source_file,
    judged.source_line,
    judged.sha256,
    judged.receipt
from judged
left join ref.visit_windows as visits
    on case
        when judged.visit_rule = 'window'
            then judged.ADY between visits.first_day and visits.last_day
        else judged.VISIT = visits.AVISIT
    end
