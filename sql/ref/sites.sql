-- ref.sites: one row per site, with the zone of its local times.
-- Grain:  SITEID
-- From:   mapped.sites (every layout that maps to sites)
-- Method: as delivered.

select
    sites.SITEID,
    sites.COUNTRY,
    sites.TZ
from mapped.sites as sites
