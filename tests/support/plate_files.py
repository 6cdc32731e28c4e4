"""Small plate exports of every layout."""

import io
import zipfile

XPONENT = """"Program","xPONENT","","FlexMAP 3D"
"Build","4.3"
"SN","F1"
"Batch","B1"
"Operator","op"
"BatchStartTime","28/02/2014 21:44:35"

"Results"

"DataType:","Median"
"Location","Sample","a","b","Total Events"
"1(1,A1)","Standard1","100","NaN","9"
"2(1,B1)","Control1","50","40","9"
"3(1,C1)","x","30","20","9"
"4(1,D1)","x","5","900","9"

"DataType:","Net MFI"
"Location","Sample","a","b","Total Events"
"1(1,A1)","Standard1","98","NaN","9"
"2(1,B1)","Control1","48","40","9"
"3(1,C1)","x","28","20","9"
"4(1,D1)","x","3","900","9"

"DataType:","Count"
"Location","Sample","a","b","Total Events"
"1(1,A1)","Standard1","60","61","9"

"DataType:","Result"
"Location","Sample","a","b"
"1(1,A1)","Standard1","12.5","NaN"
"2(1,B1)","Control1","6","> 99"
"3(1,C1)","x","3","2"
"4(1,D1)","x","< 0.5","junk"

"DataType:","Comments"
"Location","Sample","a","b"
"3(1,C1)","x","Extrapolated",""

"DataType:","Standard Expected Concentration"
"Reagent","a","b"
"Standard1","12","13"

"DataType:","Control Expected Concentration"
"Reagent","a","b"
"Control1","6","7"

"DataType:","Dilution Factor"
"Location","Sample","Dilution Factor"
"3(1,C1)","x","4"

"DataType:","Analysis Types"
"Analyte:","a","b"
"AnalysisType","Logistic 5P","None"

"DataType:","Analysis Coefficients"
"Analyte:","a","b"
"Coefficient A","1","1"
"Coefficient B","900","1"
"Coefficient C","20","1"
"Coefficient D","-1.5","1"
"Coefficient F","0.5","1"

-- CRC --
CRC32: 0
"""

INTELLIFLEX_COLUMNS = (
    "MODEL NAME,SERIAL NUMBER,PLATE NAME,PLATE START,WELL LOCATION,WELL TYPE,SAMPLE ID,DILUTION,"
    "R12: RP1 ANALYTE NAME,R12: RP1 MEDIAN,R12: RP1 NET MEDIAN,R12: RP1 COUNT,"
)
INTELLIFLEX = f"""{INTELLIFLEX_COLUMNS}
M,S,P,2026-02-25 04:42:08 PM,A1,U1,s1,10,NaN,NaN,NaN,NaN,
M,S,P,2026-02-25 04:42:08 PM,B1,S1,s2,1,IL,30.5,20.5,50,
--DOCUMENT SIGNATURE--
abc
"""

MSD_COLUMNS = (
    "Plate Name,Sample,Assay,Well,Spot,Dilution,Concentration,Signal,Adjusted Signal,"
    "Detection Range,Calc. Concentration"
)
MSD = f"""# Run 7: Experiment Data Table,,,,,,,,
{MSD_COLUMNS}
P1,Blank (Diluent),X,A01,1,,,100,,,
P1,CAL1,X,A02,1,,0,1000,900,In Detection Range,4.5
P1,QC 1,X,A03,1,,7,2000,1900,Above Detection Range,8
P1,S,X,A04,1,50,,5,4,Below Fit Curve Range,NaN
P1,S,X,A05,1,50,,5,4,,
"""

MSD_RAW = "\n".join(
    [
        "FileName :\tx.txt",
        "Barcode1 :\t<*B7*>",
        "Wells Per Row :\t6",
        "Wells Per Col :\t2",
        "Spots Per Well:\t2",
        "Read Time:\t09/18/2023\t13:39:33 EDT",
        "",
        "===Data===",
        "  \t1\t2\t3\t4\t5\t6\t",
        *("A\t1\t2\t3\t4\t5\t6\t", "\t11\t12\t13\t14\t15\t16\t"),
        *("B\t1\t2\t3\t4\t5\t6\t", "\t11\t12\t13\t14\t15\t16\t"),
        "===Statistics===",
        "Sector   :\t1\t2",
    ]
)

DIGITAL = """"Study","S"\r
"Report","7"\r
"PLATEID","PARAMCD","WELL","TYPE","LEVEL","ACCNO","REP","DE","EP","TP","EXPCONC","CONC","MASKED","REASND"\r
"P1","Q","A01","STD","S1","","1","10","20","30","0","0.1","",""\r
"P1","Q","A02","UNK","","ACC1","2","11","21","31","","","","BLQ"\r
"P1","Q","A03","UNK","","ACC1","3","12","","32","","1.5","Y","clot"\r
"Rows","3"\r
"""

SHEET = [
    ["File Name: f.srbx"],
    ["Acquisition Date: 21-Jun-2011, 01:50 PM"],
    ["Reader Serial Number: LX1"],
    ["Plate ID: PL"],
    [],
    [
        "Analyte",
        "Type",
        "Well",
        "Description",
        "FI",
        "FI - Bkgd",
        "Obs Conc",
        "Exp Conc",
        "Dilution",
        "Bead Count",
    ],
    ["IL (1)", "B", "G12", "", 15.5, 15.5, "", "", 1, 200],
    ["IL (1)", "S1", "A1", "std", 100, 84.5, "*12.3", 12, 1, 100],
    ["IL (1)", "S1", "B1", "std", 104, 88.5, "OOR >", 12, 1, 100],
    ["IL (1)", "X1", "C1,D1", "x", 50, 34.5, 3.25, "***", 4, 100],
    ["IL (1)", "X2", "E1", "x", "---", "---", "---", "", 4, 100],
    [],
    ["Regression Type: Logistic - 5PL"],
    ["Std. Curve: FI = -0.5 + (3.1E+004 + 0.5) / ((1 + (Conc / 12.2)^-4.1))^0.3"],
]

XML = """<?xml version="1.0"?>
<b:BioPlexManager xmlns:b="u" BioPlexManagerVersion="6.2"><NativeDocumentName>n</NativeDocumentName>
<Wells><Well RowNo="1" ColNo="2" WellNo="2"><PlateID>P</PlateID><User>u</User>
<AcquisitionTime>2023-05-09T18:55:02Z</AcquisitionTime><MachineInfo><SerialNumber>L</SerialNumber>
</MachineInfo><BeadRegions><BeadRegion RegionNumber="12"><RegionCount>60</RegionCount></BeadRegion>
</BeadRegions></Well></Wells><Samples><Unknowns><Unknown><Description>d</Description>
<Label>X1</Label><Dilution>2</Dilution><Analytes><Analyte RegionNumber="12"><RawMean>50</RawMean>
<Mean>40</Mean></Analyte></Analytes><MemberWells><MemberWell RowNo="1" ColNo="2"><MWAnalytes>
<MWAnalyte RegionNumber="12"><AnalyteName>a</AnalyteName>
<Reading OutlierType="None">51</Reading><MWObsConc ReadingOK="true">7.5</MWObsConc></MWAnalyte>
</MWAnalytes></MemberWell></MemberWells></Unknown></Unknowns></Samples>
<StandardCurves><Interpolators><Interpolator RegionNumber="12"><AnalyteName>a</AnalyteName>
<Equation>FI = 2 + (90 - 2) / (1 + (Conc / 5)^-1.5)</Equation></Interpolator></Interpolators>
</StandardCurves></b:BioPlexManager>
"""


def _cell(value):
    if isinstance(value, str):
        text = value.replace("<", "&lt;").replace(">", "&gt;")
        return f"<c t='inlineStr'><is><t>{text}</t></is></c>"
    return f"<c><v>{value}</v></c>"


def xlsx(*sheets, extra=None):
    """Bytes of a workbook of (name, rows) with text in its cells."""
    names = "".join(f"<sheet name='{name}' id='r{n}'/>" for n, (name, _) in enumerate(sheets))
    parts = {"xl/workbook.xml": f"<workbook><sheets>{names}</sheets></workbook>"}
    for number, (_, rows) in enumerate(sheets, start=1):
        body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f"<worksheet><sheetData>{body}</sheetData></worksheet>"
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in (parts | (extra or {})).items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return stream.getvalue()


WORKBOOK = xlsx(("Template", [["nothing"]]), ("IL (1)", SHEET))
TEXTS = tuple(text.encode() for text in (XPONENT, INTELLIFLEX, MSD, MSD_RAW, DIGITAL, XML))
