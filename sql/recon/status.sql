-- recon.status: one row per vendor and specimen, requested or delivered.
-- Grain:  vendor, SPECREF
-- From:   mapped.requisition, sdtm.be, intake.receipts (day of the latest receipt), ref.layouts,
--         ref.study
-- Method: docs/methods/reconciliation.md

with today as (
    select max(try_cast(left(receipts.received_at, 10) as date)) as as_of
    from intake.receipts as receipts
),

reconciled as (
    select distinct layouts.vendor
    from ref.layouts as layouts
    where layouts.reconciled
),

requested as (
    select
        requisition.VENDOR as vendor,
        requisition.REFID as specimen,
        requisition.USUBJID as usubjid,
        requisition.VISIT as visit,
        requisition.DTC as collected,
        requisition.TESTS as tests
    from mapped.requisition as requisition
    inner join reconciled on requisition.VENDOR = reconciled.vendor
),

joined as (
    select
        coalesce(requested.vendor, be.vendor) as vendor,
        coalesce(requested.specimen, be.BEREFID) as specimen,
        requested.usubjid as requested_usubjid,
        be.USUBJID as delivered_usubjid,
        requested.visit as requested_visit,
        be.VISIT as delivered_visit,
        requested.collected,
        requested.tests,
        requested.specimen is not null as is_requested,
        be.BEREFID is not null as is_delivered
    from requested
    full outer join sdtm.be as be
        on requested.vendor = be.vendor and requested.specimen = be.BEREFID
),

classed as (
    select
        joined.*,
        case
            when not joined.is_delivered then 'EXPECTED-MISSING'
            when not joined.is_requested then 'UNEXPECTED'
            when
                coalesce(joined.requested_usubjid, '') <> coalesce(joined.delivered_usubjid, '')
                or coalesce(joined.requested_visit, '') <> coalesce(joined.delivered_visit, '')
                then 'MISMATCH'
            else 'MATCHED'
        end as recon_class
    from joined
),

-- Two specimens of one vendor that carry each other's subject or visit are one exchange.
crossed as (
    select
        one.vendor,
        one.specimen,
        min(other.specimen) as crossed_with
    from classed as one
    inner join classed as other
        on
            one.vendor = other.vendor
            and one.specimen <> other.specimen
            and one.requested_usubjid = other.delivered_usubjid
            and one.delivered_usubjid = other.requested_usubjid
            and one.requested_visit = other.delivered_visit
            and one.delivered_visit = other.requested_visit
    where one.recon_class = 'MISMATCH' and other.recon_class = 'MISMATCH'
    group by one.vendor, one.specimen
)

select
    classed.vendor,
    classed.specimen as SPECREF,
    classed.recon_class,
    classed.requested_usubjid,
    classed.delivered_usubjid,
    classed.requested_visit,
    classed.delivered_visit,
    classed.collected as collected_dtc,
    today.as_of,
    case
        when classed.recon_class = 'EXPECTED-MISSING'
            then today.as_of - try_cast(left(classed.collected, 10) as date)
    end as age_days,
    case
        when classed.recon_class <> 'EXPECTED-MISSING' then null
        when
            today.as_of - try_cast(left(classed.collected, 10) as date) > study.overdue_days
            then 'Y'
        else 'N'
    end as overdue_fl,
    crossed.crossed_with,
    classed.tests,
    case
        when classed.recon_class = 'EXPECTED-MISSING' then 'requested, not delivered'
        when classed.recon_class = 'UNEXPECTED' then 'delivered, never requested'
        when crossed.crossed_with is not null then 'crossed over with another specimen'
        when
            classed.recon_class = 'MISMATCH'
            and coalesce(classed.requested_usubjid, '')
            <> coalesce(classed.delivered_usubjid, '')
            then 'another subject than requested'
        when classed.recon_class = 'MISMATCH' then 'another visit than requested'
    end as reasons
from classed
left join crossed on classed.vendor = crossed.vendor and classed.specimen = crossed.specimen
cross join today
cross join ref.study as study
