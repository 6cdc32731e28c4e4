"""Columns and keys of the files of every vendor but the immunoassay laboratory. No content."""

from assayhouse.simulate.layouts import (
    DM,
    PIPE,
    PLATES,
    RAND,
    RESULTS,
    SITE,
    STRATA,
    TAB,
    WELLS,
    Layout,
    column_names,
)

FLOW = Layout(
    vendor="covance_flow",
    name="results",
    columns=column_names(
        "STUDYID SITEID SUBJID VISIT ACCNO SEX BRTHYR COLDTM RECDTM ACQDTM TUBETYPE AGE_H PANEL "
        "PANELVER TESTCD TEST POPDEF PARENT ORRES ORRESU PCTPAR EVT EVTPAR BEADEVT BEADLOT BEADCNT "
        "SAMPVOL DIL METHOD LLOQ BLQFL REFLO REFHI NRIND VIABPCT INSTR RUNNO OPER STATUS REASND "
        "COMMENT"
    ),
    key=("ACCNO", "TESTCD", "RUNNO"),
    dialect=PIPE,
)
FLOW_QC = Layout(
    vendor="covance_flow",
    name="qc",
    columns=column_names("RUNNO RUNDTM INSTR CTRLID LEVEL TESTCD OBSERVED MEAN SD PASSFL"),
    key=("RUNNO", "CTRLID", "LEVEL", "TESTCD"),
    dialect=PIPE,
)
EPIGENETIC = Layout(
    vendor="epiontis",
    name="results",
    columns=column_names(
        "STUDYID SITEID SUBJID VISIT ACCNO COLDTM SEXUSED PARAMCD ASSAY ASSAYVER ASSAYRUN DNA_NG "
        "BSCONV CQ1 CQ2 CQ3 COPT1 COPT2 COPT3 COPREF1 COPREF2 COPREF3 COPTMEAN COPTCV COPREFMEAN "
        "COPREFCV DENOM EF XFACT ORRES ORRESU ABSCNT ABSUNIT LOD LOQ BLQFL STATUS REASND COMMENT"
    ),
    key=("ACCNO", "PARAMCD", "ASSAYRUN"),
    dialect=TAB,
)
EXPRESSION = Layout(
    vendor="dxterity",
    name="expression",
    columns=column_names(
        "STUDYID SITEID SUBJID VISIT ACCNO COLDTM RECDTM KITLOT BATCHID PLATEID WELL INJNO INSTR "
        "GENE GENEROLE SIZEBP DYE HEIGHT AREA NORMVAL SCALE OFFSCALE BELOWFL QCFL QCREASON STATUS"
    ),
    key=("ACCNO", "GENE", "INJNO"),
)
SAMPLE_QC = Layout(
    vendor="dxterity",
    name="sampleqc",
    columns=column_names(
        "STUDYID ACCNO BATCHID TOTALSIG REFGEOM REFCV SIZEQ NTCSIG POSCTRL PASSFL"
    ),
    key=("ACCNO",),
)
SCORES = Layout(
    vendor="dxterity",
    name="scores",
    columns=column_names("STUDYID ACCNO PARAMCD SCORE SCALE ALGVER"),
    key=("ACCNO", "PARAMCD"),
)
LB = Layout(
    vendor="central_lab",
    name="lb",
    columns=column_names(
        "STUDYID USUBJID SUBJID LBSEQ LBREFID LBTESTCD LBORRES LBORRESU LBSTRESN LBSTRESU LBLLOQ "
        "LBNRIND LBSTAT LBREASND LBSPEC VISIT LBDTC"
    ),
    key=("USUBJID", "LBSEQ"),
    dialect=None,
    numbers=frozenset({"LBSEQ", "LBSTRESN", "LBLLOQ"}),
)
PC = Layout(
    vendor="pk_lab",
    name="pc",
    columns=column_names(
        "STUDYID USUBJID SUBJID PCSEQ PCREFID PCTESTCD PCORRES PCORRESU PCSTRESN PCSTRESU PCLLOQ "
        "PCSPEC VISIT PCDTC PCTPT PCTPTNUM PCRFTDTC PCSTAT PCREASND"
    ),
    key=("USUBJID", "PCSEQ"),
)
POOL = Layout(
    vendor="pk_pool",
    name="events",
    columns=column_names(
        "STUDYID SRCSTDY USUBJID SEQ TIME EVID AMT AMTU ADDL II DV DVU BLQ LLOQ "
        "AGE SEX RACE ETHNIC WEIGHT CREAT CREATU DISEASE"
    ),
    key=("USUBJID", "SEQ"),
)
REQUISITION = Layout(
    vendor="edc",
    name="requisition",
    columns=column_names("STUDYID ACCNO SITEID SUBJID VISIT VENDOR SPECTYPE COLDTM TESTS"),
    key=("ACCNO",),
)
VS = Layout(
    vendor="edc",
    name="vs",
    columns=column_names("STUDYID USUBJID SUBJID VISIT VSDTC WEIGHT HEIGHT"),
    key=("USUBJID", "VISIT"),
)
EX = Layout(
    vendor="edc",
    name="ex",
    columns=column_names(
        "STUDYID USUBJID SUBJID EXSEQ EXTRT EXDOSE EXDOSU EXDOSFRQ EXSTDTC EXENDTC EXADJ"
    ),
    key=("USUBJID", "EXSEQ"),
)
EC = Layout(
    vendor="edc",
    name="ec",
    columns=column_names("STUDYID USUBJID SUBJID ECSEQ ECDTC ECOCCUR"),
    key=("USUBJID", "ECSEQ"),
)
RESPONSE = Layout(
    vendor="edc",
    name="response",
    columns=column_names(
        "STUDYID USUBJID SUBJID VISIT RSDTC SRI4 SLEDAI BILAGWORS PGA CLASIA RESCUE DISCONT REASON"
    ),
    key=("USUBJID", "VISIT"),
)
CM = Layout(
    vendor="edc",
    name="cm",
    columns=column_names(
        "STUDYID USUBJID SUBJID CMSEQ CMTRT CMCLAS CMDOSE CMDOSU CMDOSFRQ CMSTDTC CMENDTC"
    ),
    key=("USUBJID", "CMSEQ"),
)

ALL_LAYOUTS = (
    *(RESULTS, WELLS, PLATES),
    *(DM, SITE, REQUISITION, VS, EX, EC, RESPONSE, CM),
    *(RAND, STRATA),
    *(FLOW, FLOW_QC, EPIGENETIC, EXPRESSION, SAMPLE_QC, SCORES, LB, PC),
    POOL,
)
"""Every layout of the study; within a vendor in the order of its manifest."""

LAYOUT_NAMES = tuple(layout.full_name for layout in ALL_LAYOUTS)

CYTOKINE_LAYOUTS = (
    *("singulex.results", "singulex.wells", "singulex.plates"),
    *("edc.dm", "edc.site", "irt.rand", "irt.strata"),
)
"""Enough for the six cytokines from landing to figure, and much faster than everything."""
