-- sdtm.gf: one row per subject, specimen, gene and injection.
-- Grain:  USUBJID, GFSEQ
-- From:   mapped.gf (every layout that maps to gf)
-- Method: as delivered; sequence numbers in a settled order.

select
    gf.STUDYID,
    'GF' as DOMAIN,
    gf.USUBJID,
    row_number() over (
        partition by gf.USUBJID
        order by gf.DTC, gf.REFID, gf.INJNO, gf.SYM, gf.source_file, gf.source_line
    ) as GFSEQ,
    'GENEXPR' as GFTESTCD,
    gf.SYM as GFSYM,
    gf.ROLE as gene_role,
    gf.ORRES as GFORRES,
    try_cast(gf.number as double) as GFSTRESN,
    gf.scale,
    gf.REFID as GFREFID,
    gf.LOT as GFLOT,
    gf.BATCH as batch,
    gf.INJNO as injection,
    gf.VISIT,
    gf.DTC as GFDTC,
    try_cast(gf.height as double) as height_rfu,
    try_cast(gf.area as double) as area,
    try_cast(gf.size_bp as double) as size_bp,
    gf.below_fl as below_detection_fl,
    gf.offscale_fl as off_scale_fl,
    gf.qc_fl,
    gf.qc_reason,
    gf.status as result_status,
    gf.source_file,
    gf.source_line,
    gf.sha256,
    gf.receipt,
    gf.layout
from mapped.gf as gf
