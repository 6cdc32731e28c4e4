-- adam.adbm: one row per subject, parameter and result; ANL01FL marks the one analysed at a visit.
-- Grain:  USUBJID, PARAMCD, SRCDOM, SRCSEQ; with ANL01FL = 'Y': USUBJID, PARAMCD, AVISITN, DTYPE
-- From:   findings (every sdtm relation of results), sdtm.dm (first dose), ref.study,
--         ref.parameters, ref.visit_windows
-- Method: docs/methods/analysis-datasets.md

with results as (
    select
        findings.STUDYID,
        findings.USUBJID,
        parameters.PARAMCD,
        parameters.PARAM,
        findings.CAT as PARCAT1,
        findings.VISIT,
        findings.DTC,
        try_cast(left(findings.DTC, 10) as date) as ADT,
        dm.RFXSTDT as first_dose,
        findings.value_operator,
        findings.STRESC as AVALC,
        findings.STRESN,
        coalesce(findings.LLOQ, parameters.lloq) as lloq,
        coalesce(findings.ULOQ, parameters.uloq) as uloq,
        findings.BLFL,
        parameters.unit,
        parameters.scale,
        findings.domain as SRCDOM,
        findings.SEQ as SRCSEQ,
        findings.REFID as SPECREF,
        findings.source_file,
        findings.source_line,
        findings.sha256,
        findings.receipt,
        study.visit_rule,
        study.baseline_rule
    from findings
    inner join ref.parameters as parameters on findings.TESTCD = parameters.PARAMCD
    left join sdtm.dm as dm on findings.USUBJID = dm.USUBJID
    cross join ref.study as study
),

valued as (
    select
        results.*,
        -- Beyond a limit there is no number: the substitute is named in DTYPE.
        case
            when results.value_operator = '<' then results.lloq / 2
            when results.value_operator = '>' then results.uloq
            else results.STRESN
        end as AVAL,
        case
            when results.value_operator = '<' then 'HALFLLOQ'
            when results.value_operator = '>' then 'ULOQ'
        end as DTYPE,
        case when results.value_operator = '<' then 'Y' else 'N' end as blq_fl,
        -- CDISC study day has no day 0: the first dose falls on day 1.
        results.ADT - results.first_dose
        + case when results.ADT >= results.first_dose then 1 else 0 end as ADY
    from results
),

visited as (
    select
        valued.*,
        visits.AVISITN,
        visits.AVISIT,
        visits.target_day,
        visits.is_baseline
    from valued
    left join ref.visit_windows as visits
        on case
            when valued.visit_rule = 'window'
                then valued.ADY between visits.first_day and visits.last_day
            else valued.VISIT = visits.AVISIT
        end
),

baseline_candidates as (
    select
        visited.USUBJID,
        visited.PARAMCD,
        visited.SRCDOM,
        visited.SRCSEQ,
        visited.AVAL as BASE,
        visited.blq_fl as base_blq_fl
    from visited
    where
        visited.AVAL is not null
        and case
            when visited.baseline_rule = 'reported_flag' then visited.BLFL = 'Y'
            else visited.ADT <= visited.first_dose
        end
    qualify row_number() over (
        partition by visited.USUBJID, visited.PARAMCD
        -- SRCSEQ last, so that equal candidates always resolve the same way.
        order by visited.DTC desc, visited.SRCDOM asc, visited.SRCSEQ desc
    ) = 1
),

one_per_visit as (
    select
        visited.USUBJID,
        visited.PARAMCD,
        visited.SRCDOM,
        visited.SRCSEQ
    from visited
    left join baseline_candidates as base
        on
            visited.USUBJID = base.USUBJID
            and visited.PARAMCD = base.PARAMCD
            and visited.SRCDOM = base.SRCDOM
            and visited.SRCSEQ = base.SRCSEQ
    where visited.AVISITN is not null and visited.AVAL is not null
    qualify row_number() over (
        partition by visited.USUBJID, visited.PARAMCD, visited.AVISITN
        -- The baseline record itself stands for the baseline visit, else the nearest the target.
        order by
            (visited.is_baseline and base.SRCSEQ is not null) desc,
            abs(visited.ADY - visited.target_day) asc nulls last,
            visited.DTC desc,
            visited.SRCDOM asc,
            visited.SRCSEQ desc
    ) = 1
),

compared as (
    select
        visited.*,
        base.BASE,
        base.base_blq_fl,
        base.SRCSEQ is not null
        and visited.SRCDOM = base.SRCDOM
        and visited.SRCSEQ = base.SRCSEQ as is_base,
        chosen.SRCSEQ is not null as is_chosen,
        case
            when visited.AVAL is null then 'no value'
            when base.BASE is null then 'no baseline'
            when visited.SRCDOM = base.SRCDOM and visited.SRCSEQ = base.SRCSEQ
                then 'baseline record'
        end as chg_reason
    from visited
    left join baseline_candidates as base
        on visited.USUBJID = base.USUBJID and visited.PARAMCD = base.PARAMCD
    left join one_per_visit as chosen
        on
            visited.USUBJID = chosen.USUBJID
            and visited.PARAMCD = chosen.PARAMCD
            and visited.SRCDOM = chosen.SRCDOM
            and visited.SRCSEQ = chosen.SRCSEQ
),

reasoned as (
    select
        compared.*,
        case
            when compared.chg_reason is not null then compared.chg_reason
            when compared.scale not in ('linear', 'percent', 'ratio')
                then 'no percentage on this scale'
            when compared.base_blq_fl = 'Y' then 'baseline below the limit of quantification'
            when compared.BASE <= 0 then 'baseline not above zero'
        end as pchg_reason
    from compared
)

select
    reasoned.STUDYID,
    reasoned.USUBJID,
    reasoned.PARAMCD,
    reasoned.PARAM,
    reasoned.PARCAT1,
    reasoned.AVISITN,
    reasoned.AVISIT,
    reasoned.VISIT,
    reasoned.ADT,
    reasoned.ADY,
    reasoned.AVAL,
    reasoned.AVALC,
    reasoned.DTYPE,
    reasoned.BASE,
    case when reasoned.chg_reason is null then reasoned.AVAL - reasoned.BASE end as CHG,
    case
        when reasoned.pchg_reason is null
            then 100 * (reasoned.AVAL - reasoned.BASE) / reasoned.BASE
    end as PCHG,
    reasoned.chg_reason,
    reasoned.pchg_reason,
    case when reasoned.is_base then 'Y' end as ABLFL,
    case when reasoned.is_chosen then 'Y' end as ANL01FL,
    reasoned.blq_fl,
    reasoned.base_blq_fl,
    reasoned.lloq,
    reasoned.uloq,
    reasoned.unit,
    reasoned.scale,
    reasoned.SRCDOM,
    reasoned.SRCSEQ,
    case when reasoned.SRCDOM = 'LB' then reasoned.SRCSEQ end as LBSEQ,
    reasoned.SPECREF,
    reasoned.source_file,
    reasoned.source_line,
    reasoned.sha256,
    reasoned.receipt
from reasoned
