-- adam.subset_flags: one row per treated subject and cut-off: high or low at baseline.
-- Grain:  USUBJID, cut_off
-- From:   sdtm.dm (treated subjects), adam.adbm (baseline records), ref.cut_offs
-- Method: low is at or below the cut-off, high is above it, on the scale of the cut-off only.

with baseline as (
    select
        adbm.USUBJID,
        adbm.PARAMCD,
        adbm.scale,
        adbm.AVAL
    from adam.adbm as adbm
    where adbm.ABLFL = 'Y'
),

joined as (
    select
        dm.STUDYID,
        dm.USUBJID,
        cut_offs.cut_off,
        cut_offs.PARAMCD,
        cut_offs.scale,
        cut_offs.cut_off_value,
        cut_offs.level_of_interest,
        baseline.AVAL as BASE,
        coalesce(baseline.scale <> cut_offs.scale, false) as other_scale
    from sdtm.dm as dm
    cross join ref.cut_offs as cut_offs
    left join baseline
        on dm.USUBJID = baseline.USUBJID and cut_offs.PARAMCD = baseline.PARAMCD
    where dm.RFXSTDT is not null
),

levelled as (
    select
        joined.*,
        case
            when joined.other_scale or joined.BASE is null then null
            when joined.BASE > joined.cut_off_value then 'high'
            else 'low'
        end as level
    from joined
)

select
    levelled.STUDYID,
    levelled.USUBJID,
    levelled.cut_off,
    levelled.PARAMCD,
    levelled.scale,
    levelled.BASE,
    levelled.cut_off_value,
    levelled.level,
    case
        when levelled.level is null then null
        when levelled.level = levelled.level_of_interest then 'Y'
        else 'N'
    end as of_interest_fl,
    case
        when levelled.other_scale then 'the value is on another scale than the cut-off'
        when levelled.BASE is null then 'no baseline value'
    end as reasons
from levelled
